# connguard_lws: libwebsockets 4.3.5, its static library. Debian 13 packages it; on Debian 12 the package
# of Debian 13 is fetched once into a cache of the user's, outside the build tree, so that later builds
# need no network. Why and what else was tried: proxy/docs/decisions/0001-libwebsockets-on-debian-12.md.
set(CONNGUARD_LWS_VERSION 4.3.5)
set(CONNGUARD_LWS_SUITE trixie)

if(DEFINED ENV{XDG_CACHE_HOME})
  set(_cache $ENV{XDG_CACHE_HOME})
else()
  set(_cache $ENV{HOME}/.cache)
endif()
set(CONNGUARD_LWS_CACHE
    ${_cache}/connguard/libwebsockets-${CONNGUARD_LWS_VERSION}-${CMAKE_LIBRARY_ARCHITECTURE}
    CACHE PATH "Where libwebsockets is unpacked when the system has none that is new enough")

# connguard_lws_version(RESULT PREFIX): the version of the libwebsockets under PREFIX, or an empty string.
function(connguard_lws_version result prefix)
  set(${result} "" PARENT_SCOPE)
  if(EXISTS ${prefix}/include/lws_config.h
     AND EXISTS ${prefix}/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libwebsockets.a)
    file(STRINGS ${prefix}/include/lws_config.h line REGEX "^#define LWS_LIBRARY_VERSION \"")
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${line}")
    set(${result} "${version}" PARENT_SCOPE)
  endif()
endfunction()

set(_lws_prefix /usr)
connguard_lws_version(_lws_found ${_lws_prefix})
if(NOT _lws_found VERSION_EQUAL CONNGUARD_LWS_VERSION)
  set(_lws_prefix ${CONNGUARD_LWS_CACHE}/usr)
  connguard_lws_version(_lws_found ${_lws_prefix})
endif()
if(NOT _lws_found VERSION_EQUAL CONNGUARD_LWS_VERSION)
  message(STATUS "Fetching libwebsockets ${CONNGUARD_LWS_VERSION} of Debian ${CONNGUARD_LWS_SUITE}")
  execute_process(
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/fetch-package libwebsockets-dev ${CONNGUARD_LWS_VERSION}
            ${CONNGUARD_LWS_SUITE} ${CONNGUARD_LWS_CACHE}
    RESULT_VARIABLE _failed)
  connguard_lws_version(_lws_found ${_lws_prefix})
  if(_failed OR NOT _lws_found VERSION_EQUAL CONNGUARD_LWS_VERSION)
    message(FATAL_ERROR "libwebsockets ${CONNGUARD_LWS_VERSION} could not be had: neither this system "
                        "nor ${CONNGUARD_LWS_CACHE} has it, and fetching it failed (see above).")
  endif()
endif()
message(STATUS "libwebsockets ${_lws_found}: ${_lws_prefix}")

add_library(connguard_lws INTERFACE)
if(NOT _lws_prefix STREQUAL /usr)
  target_include_directories(connguard_lws SYSTEM INTERFACE ${_lws_prefix}/include)
endif()
# libwebsockets.h itself includes <uv.h> and <sys/capability.h>.
target_link_libraries(
  connguard_lws INTERFACE ${_lws_prefix}/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libwebsockets.a
                          OpenSSL::SSL OpenSSL::Crypto cap z PkgConfig::LIBUV Threads::Threads
                          ${CMAKE_DL_LIBS})
