# cmake --install: the program, its completions, its man page and the schemas.
install(TARGETS stsctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/stsctl/schemas
        FILES_MATCHING PATTERN "*.json")
