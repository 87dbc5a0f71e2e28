// The role of the public node: what it is made of, how it starts, reloads and stops.
#pragma once

#include "config/server_config.hpp"

#include <functional>

namespace rockdove::server {

/// Runs until SIGTERM or SIGINT, then drains; a second signal ends it at once. SIGHUP calls `reload` and
/// applies what can change in a running server: routes, limits, tokens, certificates. Throws std::exception
/// with a message for the operator if it cannot start. Takes the sockets and hears the wishes of a service
/// manager (sd_listen_fds(3), sd_notify(3)).
int run(config::ServerConfig config, std::function<config::ServerConfig()> reload);

}  // namespace rockdove::server
