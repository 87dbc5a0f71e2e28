// Which way an agent's connections to its server take: straight, or through a proxy.
#pragma once

#include "net/proxy.hpp"

#include <optional>
#include <string>

namespace rockdove::agent {

/// The proxy on the way to `address`; none: straight there. `setting` is AgentConfig::proxy. `own_proxy` is
/// where this agent itself is a proxy for local programs: HTTPS_PROXY for all programs of a machine is meant
/// for the others, and a link cannot go through itself. Errors as of net::parse_proxy().
Result<std::optional<net::Proxy>> way_to_server(const std::string& setting,
                                                const std::optional<HostPort>& own_proxy,
                                                const HostPort& address);

}  // namespace rockdove::agent
