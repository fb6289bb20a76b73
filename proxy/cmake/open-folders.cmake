# Run by CPack before it packs: CMake makes folders by the umask, and those of a package are everybody's.
execute_process(COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -type d -exec chmod 755 {} +
                COMMAND_ERROR_IS_FATAL ANY)
