// What `rockdove join` leaves behind: the [server] table of agent.toml, and nothing else of it touched.
#pragma once

#include "config/agent_config.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace rockdove::config {

/// `text`, the content of an agent.toml (empty: there is none yet), with the keys of its [server] table set
/// to `server`. Other keys, other tables and all whole-line comments stay as they are. `file` is what errors
/// call it. Throws ConfigError if `text` is not valid, or writes its [server] table in a form that cannot be
/// edited.
std::string with_server(std::string_view text, const ServerLink& server, const std::string& file);

/// Does so to the file at `path`, which is made, with its directories, if there is none. It gets mode 0600.
/// Throws ConfigError or std::runtime_error.
void write_server(const std::filesystem::path& path, const ServerLink& server);

}  // namespace rockdove::config
