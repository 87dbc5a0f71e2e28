# What a person installs, and the .deb of it. `cmake --install` puts the same files elsewhere.
find_program(PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(GZIP gzip)
set(generated ${CMAKE_BINARY_DIR}/package)

# Man pages and completions are what the programs say of themselves.
set(package_files)
foreach(program rockdove rockdove-feishu-bot)
  set(made ${generated}/${program}.1 ${generated}/${program}.bash ${generated}/${program}.zsh
      ${generated}/${program}.fish)
  add_custom_command(OUTPUT ${made} ${generated}/${program}.1.gz
    COMMAND ${PYTHON3} -B ${PROJECT_SOURCE_DIR}/tools/command_help.py $<TARGET_FILE:${program}> ${generated}
    COMMAND ${GZIP} -9nkf ${generated}/${program}.1
    DEPENDS ${program} ${PROJECT_SOURCE_DIR}/tools/command_help.py VERBATIM)
  list(APPEND package_files ${made})
endforeach()
add_custom_command(OUTPUT ${generated}/changelog.gz
  COMMAND ${GZIP} -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md > ${generated}/changelog.gz
  DEPENDS ${PROJECT_SOURCE_DIR}/CHANGELOG.md VERBATIM)
add_custom_target(package_files DEPENDS ${package_files} ${generated}/changelog.gz)

set(doc share/doc/rockdove)
install(TARGETS rockdove rockdove-feishu-bot RUNTIME DESTINATION bin)
install(FILES deploy/server.toml DESTINATION /etc/rockdove)
install(DIRECTORY deploy/systemd/ DESTINATION lib/systemd/system
        FILES_MATCHING PATTERN "*.service" PATTERN "*.socket" PATTERN user EXCLUDE)
install(FILES deploy/systemd/user/rockdove-agent.service DESTINATION lib/systemd/user)
install(FILES README.md README.zh-CN.md SECURITY.md deploy/debian/copyright DESTINATION ${doc})
install(FILES ${generated}/changelog.gz DESTINATION ${doc})
install(DIRECTORY docs/ DESTINATION ${doc}/docs FILES_MATCHING PATTERN "*.md")
install(FILES config/server.toml config/agent.toml apps/feishu-bot/feishu-bot.toml
        DESTINATION ${doc}/examples)
install(FILES apps/feishu-bot/README.md apps/feishu-bot/README.zh-CN.md DESTINATION ${doc}/feishu-bot)
foreach(program rockdove rockdove-feishu-bot)
  install(FILES ${generated}/${program}.1.gz DESTINATION share/man/man1)
  install(FILES ${generated}/${program}.bash DESTINATION share/bash-completion/completions RENAME ${program})
  install(FILES ${generated}/${program}.zsh DESTINATION share/zsh/vendor-completions RENAME _${program})
  install(FILES ${generated}/${program}.fish DESTINATION share/fish/vendor_completions.d)
endforeach()

set(ROCKDOVE_MAINTAINER "rockdove contributors <rockdove@packages.invalid>" CACHE STRING
    "Who answers for a package that this build makes")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME rockdove)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${ROCKDOVE_MAINTAINER})
set(CPACK_SET_DESTDIR ON)  # /etc is not below the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, init-system-helpers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "brings webhooks to services behind NAT, and loses none")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"A server with a public address takes HTTP requests, an agent behind NAT holds
a link to it and calls a local service. What cannot be delivered now waits in
an inbox on the server's disk. Calls of local programs can leave by the
server's fixed address. Both roles are one program; rockdove-feishu-bot is an
example of a local service.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
    ${PROJECT_SOURCE_DIR}/deploy/debian/prerm ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
