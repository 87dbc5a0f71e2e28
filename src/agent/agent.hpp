// The role behind NAT: what it is made of, how it starts and stops.
#pragma once

#include "config/agent_config.hpp"

#include <functional>

namespace rockdove::agent {

/// Keeps links to the server until SIGTERM or SIGINT, then drains; a second signal ends it at once. SIGHUP
/// calls `reload`, reopens the log and says what takes effect only at the next start. Throws std::exception
/// with a message for the operator if it cannot start.
int run(config::AgentConfig config, std::function<config::AgentConfig()> reload);

}  // namespace rockdove::agent
