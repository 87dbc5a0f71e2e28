// The files that make a service of the program: those of deploy/, which the package ships, are a part of it.
#pragma once

#include <string_view>

namespace rockdove::cli {

// Units of systemd (systemd.service(5)). They start /usr/bin/rockdove.
std::string_view server_unit() noexcept;      ///< deploy/systemd/rockdove-server.service
std::string_view agent_unit() noexcept;       ///< deploy/systemd/rockdove-agent.service
std::string_view user_agent_unit() noexcept;  ///< deploy/systemd/user/rockdove-agent.service

/// deploy/server.toml: the configuration that the server's unit starts with.
std::string_view service_config() noexcept;

}  // namespace rockdove::cli
