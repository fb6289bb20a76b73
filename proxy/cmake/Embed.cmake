# connguard_embed(OUTPUT NAMESPACE HEADER FUNCTION file…): a custom command that writes the files into
# OUTPUT, a C++ source that defines NAMESPACE::FUNCTION, declared in HEADER: a file's bytes by its name.
function(connguard_embed output namespace header function)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${ARGN}" -DOUTPUT=${output} -DNAMESPACE=${namespace}
            -DHEADER=${header} -DFUNCTION=${function} -P ${PROJECT_SOURCE_DIR}/proxy/cmake/embed.cmake
    DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/proxy/cmake/embed.cmake
    VERBATIM)
endfunction()
