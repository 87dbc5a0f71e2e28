# The programs as they are in the tarball: with all libraries in them but glibc, of which they need no more
# than version 2.28 has (CentOS 8, Debian 10; Ubuntu 20.04 has 2.31). The objects are those of the .deb.
set(old_glibc_version 2.28)
set(old_glibc ${CMAKE_BINARY_DIR}/old-glibc)
add_custom_command(OUTPUT ${old_glibc}/libc.so
  COMMAND ${PYTHON3} -B ${PROJECT_SOURCE_DIR}/deploy/portable/old_glibc.py ${CMAKE_CXX_COMPILER}
          ${old_glibc_version} ${old_glibc}
  DEPENDS deploy/portable/old_glibc.py VERBATIM)
add_custom_target(old_glibc DEPENDS ${old_glibc}/libc.so)

file(GLOB portable_sources CONFIGURE_DEPENDS deploy/portable/*.cpp)
add_library(rockdove_portable STATIC EXCLUDE_FROM_ALL ${portable_sources})
target_compile_options(rockdove_portable PRIVATE -w)  # mostly other people's code
target_link_libraries(rockdove_portable PRIVATE Boost::headers spdlog::spdlog PkgConfig::TOMLPLUSPLUS)

# A static library of the system; at build time it is missed, if it is.
function(archive variable)
  set(paths)
  foreach(name ${ARGN})
    find_library(archive_${name} NAMES lib${name}.a)
    if(NOT archive_${name})
      set(archive_${name} lib${name}.a)
    endif()
    list(APPEND paths ${archive_${name}})
  endforeach()
  set(${variable} ${paths} PARENT_SCOPE)
endfunction()
archive(archives ssl crypto nghttp2 sqlite3 boost_json boost_container jemalloc_pic)

# portable(PROGRAM LAYERS...): PROGRAM-portable in portable/, under the name of PROGRAM.
function(portable program)
  add_executable(${program}-portable EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${program}>)
  set_target_properties(${program}-portable PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME ${program}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/portable)
  list(TRANSFORM ARGN PREPEND rockdove_ OUTPUT_VARIABLE layers)
  add_dependencies(${program}-portable ${layers} rockdove_portable old_glibc)
  list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE files)
  target_link_options(${program}-portable PRIVATE -static-libstdc++ -static-libgcc -L${old_glibc}
    -Wl,--wrap=__libc_start_main -Wl,--as-needed -Wl,-z,relro,-z,now -s)
  target_link_libraries(${program}-portable PRIVATE -Wl,--start-group ${files} $<TARGET_FILE:rockdove_portable>
    ${archives} -Wl,--end-group)
  set_property(TARGET ${program}-portable APPEND PROPERTY LINK_DEPENDS ${old_glibc}/libc.so)
endfunction()
set(layers_of_apps config providers net http base)
portable(rockdove doctor server agent ops tunnel inbox egress ${layers_of_apps})
portable(rockdove-feishu-bot feishu_bot tunnel inbox egress ${layers_of_apps})

# What is in the tarball, for ./dev package --tarball: cmake --install --component portable. `cp -r bin share /usr/local/`
# is a way to install it.
set(generated ${CMAKE_BINARY_DIR}/package)
set(portable COMPONENT portable EXCLUDE_FROM_ALL)
foreach(program rockdove rockdove-feishu-bot)
  install(PROGRAMS ${CMAKE_BINARY_DIR}/portable/${program} DESTINATION bin ${portable})
  install(FILES ${generated}/${program}.1.gz DESTINATION share/man/man1 ${portable})
  install(FILES ${generated}/${program}.bash DESTINATION share/bash-completion/completions RENAME ${program} ${portable})
  install(FILES ${generated}/${program}.zsh DESTINATION share/zsh/site-functions RENAME _${program} ${portable})
  install(FILES ${generated}/${program}.fish DESTINATION share/fish/vendor_completions.d ${portable})
endforeach()
install(FILES LICENSE README.md README.zh-CN.md SECURITY.md CHANGELOG.md DESTINATION . ${portable})
install(DIRECTORY docs/ DESTINATION docs ${portable} FILES_MATCHING PATTERN "*.md")
install(FILES config/server.toml config/agent.toml apps/feishu-bot/feishu-bot.toml DESTINATION examples ${portable})
install(DIRECTORY deploy/systemd deploy/scripts DESTINATION . USE_SOURCE_PERMISSIONS ${portable})
# Licenses that want to go along with what is linked in; Boost's does not.
foreach(package libssl-dev libnghttp2-dev libsqlite3-dev libspdlog-dev libfmt-dev libtomlplusplus-dev libcli11-dev
        libjemalloc-dev libxxhash-dev)
  string(REGEX REPLACE "-dev$" "" name ${package})
  install(FILES /usr/share/doc/${package}/copyright DESTINATION licenses RENAME ${name} ${portable} OPTIONAL)
endforeach()
