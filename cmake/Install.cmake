# cmake --install: the program, its completions, its man page and the schemas.
install(TARGETS stsctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/stsctl/schemas
        FILES_MATCHING PATTERN "*.json")

# Made by the program itself when it has been built.
set(generated ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
add_custom_command(
  OUTPUT ${generated}/stsctl.1 ${generated}/stsctl.bash ${generated}/_stsctl ${generated}/stsctl.fish
  COMMAND stsctl man > ${generated}/stsctl.1
  COMMAND stsctl completion bash > ${generated}/stsctl.bash
  COMMAND stsctl completion zsh > ${generated}/_stsctl
  COMMAND stsctl completion fish > ${generated}/stsctl.fish
  DEPENDS stsctl
  COMMENT "Completions and man page")
add_custom_target(stsctl_pages ALL DEPENDS ${generated}/stsctl.1)
install(FILES ${generated}/stsctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${generated}/stsctl.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME stsctl)
install(FILES ${generated}/_stsctl DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${generated}/stsctl.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
