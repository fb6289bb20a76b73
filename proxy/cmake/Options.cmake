# What a build can choose, and the flags that every target gets through connguard_options.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# Small functions of one library are inlined into another (decision 25). clang's would need a linker plugin
# from a further package.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)
endif()

# Optimised by what it does under load (decision 26, tests/bench/profiled): `generate` makes a program that
# writes a profile as it ends, `use` one that is made by it. Both in one build folder: g++ finds the profile
# of an object by its path.
set(CONNGUARD_PROFILE "" CACHE STRING "Profile-guided optimisation, g++ only (generate | use)")
set(profile ${PROJECT_BINARY_DIR}/profile)
if(CONNGUARD_PROFILE STREQUAL generate)
  add_compile_options(-fprofile-generate=${profile} -fprofile-update=atomic)
  add_link_options(-fprofile-generate=${profile} -fprofile-update=atomic)
elseif(CONNGUARD_PROFILE STREQUAL use)
  add_compile_options(-fprofile-use=${profile} -fprofile-correction -Wno-missing-profile)
  add_link_options(-fprofile-use=${profile} -fprofile-correction -Wno-missing-profile)
elseif(CONNGUARD_PROFILE)
  message(FATAL_ERROR "CONNGUARD_PROFILE is generate or use, not ${CONNGUARD_PROFILE}")
endif()

option(CONNGUARD_TESTS "Build the tests" ON)
set(CONNGUARD_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize= (address,undefined | thread)")

add_library(connguard_options INTERFACE)
target_include_directories(connguard_options INTERFACE ${PROJECT_SOURCE_DIR}/include
                                                       ${PROJECT_SOURCE_DIR}/proxy)
target_compile_options(connguard_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                                   -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # A false alarm of g++ 12 on `"literal" + std::string` (GCC bug 105651).
  target_compile_options(connguard_options INTERFACE -Wno-restrict)
endif()
# Debian's hardening flags (dpkg-buildflags); _FORTIFY_SOURCE needs an optimised build.
target_compile_options(connguard_options INTERFACE -fstack-protector-strong -fstack-clash-protection
                                                   -Werror=format-security
                                                   $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(connguard_options INTERFACE -fcf-protection)
endif()
target_compile_definitions(connguard_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
target_link_options(connguard_options INTERFACE -Wl,-z,relro,-z,now)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()

if(CONNGUARD_SANITIZE)
  add_compile_options(-fsanitize=${CONNGUARD_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${CONNGUARD_SANITIZE})
endif()
if(CONNGUARD_SANITIZE MATCHES thread)
  # ThreadSanitizer does not know fences on their own; Asio's are behind a mutex anyway.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

# connguard_library(NAME source… [DEPENDS target…]): one static library per folder of proxy/.
function(connguard_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_library(connguard_${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(connguard_${name} PUBLIC connguard_options ${ARG_DEPENDS})
endfunction()

# The libraries that start threads, cross between them or are shared by them: their tests run under ThreadSanitizer too.
set(CONNGUARD_THREADED_LIBRARIES connguard_auth connguard_log connguard_net connguard_cluster
                                 connguard_admin connguard_app connguard_cli connguard_demo
                                 connguard_run_demo)
# All tests with the label `threads`, for a build that needs no others (tests/run).
add_custom_target(connguard_threads_tests)

# connguard_test(NAME source… [THREADS] [DEPENDS target…]): one GoogleTest binary, each test known to
# ctest; with the label `threads` when that is said, or it is a test of one of the libraries above.
function(connguard_test name)
  cmake_parse_arguments(ARG "THREADS" "" "DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gtest GTest::gtest_main)
  set(properties TIMEOUT 120)
  foreach(library ${ARG_DEPENDS})
    if(library IN_LIST CONNGUARD_THREADED_LIBRARIES)
      set(ARG_THREADS TRUE)
    endif()
  endforeach()
  if(ARG_THREADS)
    set(properties TIMEOUT 120 LABELS threads)
    add_dependencies(connguard_threads_tests ${name})
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()
