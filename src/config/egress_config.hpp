// The tables [egress], [[egress.allow]] and [[egress.destination]] of a server.
#pragma once

#include "config/toml_reader.hpp"
#include "egress/gate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rockdove::config {

struct EgressConfig {
  std::optional<HostPort> listen;  ///< of the proxy port; none: there is no such port
  std::string check_url;           ///< answers with the address that it was asked from; empty: none
  egress::Gate::Options gate;

  EgressConfig();
  bool operator==(const EgressConfig&) const = default;
};

/// The destinations that a server knows without any [[egress.destination]].
std::vector<egress::DestinationOptions> default_destinations();

/// Throws ConfigError.
EgressConfig read_egress(Section section);

}  // namespace rockdove::config
