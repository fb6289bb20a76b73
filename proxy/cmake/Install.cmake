# What `cmake --install` lays out. /etc is /etc whatever the prefix is, because the service looks there;
# -DCMAKE_INSTALL_SYSCONFDIR=etc keeps all of it below the prefix.
set(CMAKE_INSTALL_SYSCONFDIR /etc CACHE STRING "Where connguard/connguard.yaml goes")
include(GNUInstallDirs)

# --- what the program prints of itself: needs the binary, so it is not for `ninja connguard` -------------

set(CONNGUARD_MANUAL ${PROJECT_BINARY_DIR}/manual)
set(CONNGUARD_PRINTED
    ${CONNGUARD_MANUAL}/connguard.1.gz ${CONNGUARD_MANUAL}/connguard.yaml.5.gz
    ${CONNGUARD_MANUAL}/bash/connguard ${CONNGUARD_MANUAL}/zsh/_connguard
    ${CONNGUARD_MANUAL}/fish/connguard.fish)
add_custom_command(
  OUTPUT ${CONNGUARD_PRINTED}
  COMMAND ${CMAKE_CURRENT_LIST_DIR}/print-manual $<TARGET_FILE:connguard> ${CONNGUARD_MANUAL}
  DEPENDS connguard ${CMAKE_CURRENT_LIST_DIR}/print-manual
  VERBATIM)
add_custom_target(manual ALL DEPENDS ${CONNGUARD_PRINTED})

# --- the README, whose links lead to where things are once they are installed ----------------------------

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md)
file(READ ${PROJECT_SOURCE_DIR}/README.md readme)
string(REPLACE "](proxy/docs" "](docs" readme "${readme}")
string(REPLACE "](proxy/admin/" "](docs/" readme "${readme}")
string(REPLACE "](conf/" "](examples/" readme "${readme}")
string(REPLACE "](deploy/prometheus)" "](../../connguard/prometheus)" readme "${readme}")
string(REPLACE "](deploy/grafana)" "](../../connguard/grafana)" readme "${readme}")
file(WRITE ${CONNGUARD_MANUAL}/README.md "${readme}")

# --- the layout ------------------------------------------------------------------------------------------

# Installs a file where none of its name is: what an administrator has edited stays.
function(connguard_install_conf file folder)
  if(NOT IS_ABSOLUTE ${folder})
    set(folder "\${CMAKE_INSTALL_PREFIX}/${folder}")
  endif()
  get_filename_component(name ${file} NAME)
  install(
    CODE "if(EXISTS \"\$ENV{DESTDIR}${folder}/${name}\")
  message(STATUS \"Kept: \$ENV{DESTDIR}${folder}/${name}\")
else()
  file(INSTALL DESTINATION \"${folder}\" TYPE FILE FILES \"${file}\")
endif()")
endfunction()

set(_conf ${CMAKE_INSTALL_SYSCONFDIR}/connguard)
set(_share ${CMAKE_INSTALL_DATADIR}/connguard)
set(_doc ${CMAKE_INSTALL_DOCDIR})
set(_deploy ${PROJECT_SOURCE_DIR}/deploy)

install(TARGETS connguard RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CONNGUARD_MANUAL}/connguard.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CONNGUARD_MANUAL}/connguard.yaml.5.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES ${CONNGUARD_MANUAL}/bash/connguard
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${CONNGUARD_MANUAL}/zsh/_connguard
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${CONNGUARD_MANUAL}/fish/connguard.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

file(GLOB profiles CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/conf/profiles/*.yaml)
set(CONNGUARD_CONFFILES ${_conf}/connguard.yaml)
connguard_install_conf(${_deploy}/install/connguard.yaml ${_conf})
foreach(profile ${profiles})
  get_filename_component(name ${profile} NAME)
  list(APPEND CONNGUARD_CONFFILES ${_conf}/profiles/${name})
  connguard_install_conf(${profile} ${_conf}/profiles)
endforeach()

install(FILES ${_deploy}/systemd/connguard.service DESTINATION lib/systemd/system)
install(FILES ${_deploy}/grafana/dashboards/connguard.json DESTINATION ${_share}/grafana)
install(FILES ${_deploy}/prometheus/connguard.rules.yaml DESTINATION ${_share}/prometheus)

install(FILES ${CONNGUARD_MANUAL}/README.md DESTINATION ${_doc})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/proxy/docs/ DESTINATION ${_doc}/docs)
install(FILES ${PROJECT_SOURCE_DIR}/proxy/admin/openapi.json DESTINATION ${_doc}/docs)
install(FILES ${PROJECT_SOURCE_DIR}/conf/connguard.yaml ${PROJECT_SOURCE_DIR}/conf/minimal.yaml
              ${PROJECT_SOURCE_DIR}/conf/container.yaml ${_deploy}/prometheus/prometheus.yml
        DESTINATION ${_doc}/examples)
install(DIRECTORY ${_deploy}/examples ${_deploy}/kubernetes ${_deploy}/helm ${_deploy}/compose
                  ${_deploy}/systemd
        DESTINATION ${_doc}/deploy
        PATTERN __pycache__ EXCLUDE)
install(FILES ${_deploy}/Dockerfile ${_deploy}/compose.yaml ${_deploy}/compose.cheshire-cat.yaml
        DESTINATION ${_doc}/deploy)
