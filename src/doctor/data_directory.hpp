// What lies in a server's data directory: keys, tokens, the inbox.
#pragma once

#include "config/server_config.hpp"
#include "doctor/report.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rockdove::doctor {

/// Modes of the directory and of what has to be private in it. False if there is none to look into.
bool check_data(Report& report, const std::filesystem::path& data);

/// The tunnels that have a token, each once; nothing if the list is damaged.
std::optional<std::vector<std::string>> check_tokens(Report& report, const std::filesystem::path& data);

/// Is the database ours, of a format that this program knows, and readable? A running server notices nothing.
void check_inbox(Report& report, const std::filesystem::path& data);

/// The ends of certificates that somebody has to renew, and the pin of the server's own key. Makes no key.
void check_certificates(Report& report, const config::ServerConfig& config);

/// Can the secrets of routes and destinations be read here, and are their files private?
void check_secrets(Report& report, const config::ServerConfig& config);

}  // namespace rockdove::doctor
