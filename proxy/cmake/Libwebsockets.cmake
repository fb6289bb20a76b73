# connguard_lws: libwebsockets 4.3.5, a static library that is built from Debian 13's source package, once, into
# a cache of the user's outside the build tree, so that later builds need no network. Why, and what else was
# tried: proxy/docs/decisions/0023-libwebsockets-from-debians-source.md.
set(CONNGUARD_LWS_VERSION 4.3.5)
set(CONNGUARD_LWS_SUITE trixie)

if(DEFINED ENV{XDG_CACHE_HOME})
  set(_cache $ENV{XDG_CACHE_HOME})
else()
  set(_cache $ENV{HOME}/.cache)
endif()
# Of another way of building there is another folder.
set(_lws_build ${CMAKE_CURRENT_LIST_DIR}/build-libwebsockets)
file(SHA256 ${_lws_build} _lws_way)
string(SUBSTRING ${_lws_way} 0 8 _lws_way)
set(CONNGUARD_LWS_CACHE "" CACHE PATH "Where libwebsockets is, or is put; empty: in the user's cache")
set(CONNGUARD_LWS_FOLDER ${CONNGUARD_LWS_CACHE})
if(NOT CONNGUARD_LWS_FOLDER)
  set(CONNGUARD_LWS_FOLDER
      ${_cache}/connguard/libwebsockets-${CONNGUARD_LWS_VERSION}-${_lws_way}-${CMAKE_LIBRARY_ARCHITECTURE})
endif()

# Sets _lws_found to the version that is there, or to nothing.
macro(connguard_find_lws)
  set(_lws_found "")
  if(EXISTS ${CONNGUARD_LWS_FOLDER}/usr/include/lws_config.h AND EXISTS ${CONNGUARD_LWS_FOLDER}/usr/lib/libwebsockets.a)
    file(STRINGS ${CONNGUARD_LWS_FOLDER}/usr/include/lws_config.h _lws_line REGEX "^#define LWS_LIBRARY_VERSION \"")
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" _lws_found "${_lws_line}")
  endif()
endmacro()

connguard_find_lws()
if(NOT _lws_found VERSION_EQUAL CONNGUARD_LWS_VERSION)
  message(STATUS "Building libwebsockets ${CONNGUARD_LWS_VERSION} of Debian ${CONNGUARD_LWS_SUITE}")
  execute_process(COMMAND ${_lws_build} ${CONNGUARD_LWS_VERSION} ${CONNGUARD_LWS_SUITE} ${CONNGUARD_LWS_FOLDER}
                  RESULT_VARIABLE _failed)
  connguard_find_lws()
  if(_failed OR NOT _lws_found VERSION_EQUAL CONNGUARD_LWS_VERSION)
    message(FATAL_ERROR "libwebsockets ${CONNGUARD_LWS_VERSION} could not be had: it is not in "
                        "${CONNGUARD_LWS_FOLDER}, and building it failed (see above).")
  endif()
endif()
message(STATUS "libwebsockets ${_lws_found}: ${CONNGUARD_LWS_FOLDER}")

add_library(connguard_lws INTERFACE)
target_include_directories(connguard_lws SYSTEM INTERFACE ${CONNGUARD_LWS_FOLDER}/usr/include)
target_link_libraries(connguard_lws INTERFACE ${CONNGUARD_LWS_FOLDER}/usr/lib/libwebsockets.a cap Threads::Threads)
