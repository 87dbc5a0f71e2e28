// The server's three ports: free, its own already, or somebody else's.
#pragma once

#include "config/server_config.hpp"
#include "doctor/report.hpp"
#include "net/asio.hpp"

#include <optional>
#include <string>

namespace rockdove::doctor {

/// Returns what the admin port says of its server's health (docs/metrics.md), if one answers there. `report`
/// and `config` must outlive it.
Awaitable<std::optional<std::string>> check_ports(Report& report, const config::ServerConfig& config);

/// How to find out from outside what cannot be known from inside.
void hint_at_reach(Report& report, const config::ServerConfig& config);

}  // namespace rockdove::doctor
