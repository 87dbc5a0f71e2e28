// What is behind an agent: the upstreams, and its proxy for local programs.
#pragma once

#include "config/agent_config.hpp"
#include "doctor/report.hpp"
#include "net/asio.hpp"

namespace rockdove::doctor {

/// Asks an upstream as the agent's own health check does: a TCP connection, or GET of its health path.
/// `report` and `upstream` must outlive it.
Awaitable<void> check_upstream(Report& report, const config::UpstreamConfig& upstream);

/// Is the proxy's port free, or an agent's already?
Awaitable<void> check_egress_port(Report& report, const config::AgentEgress& egress);

}  // namespace rockdove::doctor
