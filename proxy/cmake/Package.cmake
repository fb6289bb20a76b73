# `cpack` makes a Debian package of what Install.cmake lays out; the scripts are in deploy/debian.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME connguard)
set(CPACK_PACKAGE_CONTACT "connguard maintainers <connguard@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "WebSocket reverse proxy that keeps agent sessions alive")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "It stands in front of an unmodified agent backend, with unmodified clients,\n\
and keeps a session from breaking when its client drops while the backend\n\
works on an answer: the upstream connection stays open until the turn has\n\
ended, and the user's next connect waits in its handshake until the old\n\
session is over. Everything else passes as it came.\n\
.\n\
The service starts with a configuration that listens on this machine only; see\n\
connguard.yaml(5).")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)  # for upstreams over https
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_STRIP_FILES ON)

# Below a DESTDIR, so that /etc is in the package and never the machine's own.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/open-folders.cmake)

set(_debian ${PROJECT_BINARY_DIR}/debian)
list(JOIN CONNGUARD_CONFFILES "\n" _conffiles)
file(WRITE ${_debian}/conffiles "${_conffiles}\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${_debian}/conffiles ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
    ${PROJECT_SOURCE_DIR}/deploy/debian/prerm ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# --- what Debian wants in share/doc ----------------------------------------------------------------------

execute_process(COMMAND date -u -R -d ${CONNGUARD_DATE} OUTPUT_VARIABLE changelog_date
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
configure_file(${PROJECT_SOURCE_DIR}/deploy/debian/changelog.in ${_debian}/changelog @ONLY)
execute_process(COMMAND gzip -9nfk ${_debian}/changelog COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${_debian}/changelog.gz ${PROJECT_SOURCE_DIR}/deploy/debian/copyright
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
# Of what is in the binary without being a library that the package depends on.
foreach(package libwebsockets-dev libcli11-dev nlohmann-json3-dev libspdlog-dev libboost-dev)
  foreach(prefix ${CONNGUARD_LWS_FOLDER}/usr /usr)
    set(file ${prefix}/share/doc/${package}/copyright)
    if(EXISTS ${file})
      install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DOCDIR}/linked RENAME ${package})
      break()
    endif()
  endforeach()
endforeach()

include(CPack)
