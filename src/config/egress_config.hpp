// The tables [egress], [[egress.allow]] and [[egress.destination]] of a server.
#pragma once

#include "config/secret_source.hpp"
#include "config/toml_reader.hpp"
#include "egress/gate.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rockdove::config {

struct EgressConfig {
  std::optional<HostPort> listen;  ///< of the proxy port; none: there is no such port
  std::string check_url;           ///< answers with the address that it was asked from; empty: none
  egress::Gate::Options gate;      ///< without secrets: see load_egress_secrets()
  std::map<std::string, SecretSource> lingxing;  ///< where the appSecret of a destination is, by its name

  EgressConfig();
  bool operator==(const EgressConfig&) const = default;
};

/// The destinations that a server knows without any [[egress.destination]].
std::vector<egress::DestinationOptions> default_destinations();

/// Throws ConfigError.
EgressConfig read_egress(Section section);

/// `config.gate` with its secrets. Throws ConfigError that names the destination, and never quotes a secret.
egress::Gate::Options load_egress_secrets(const EgressConfig& config);

}  // namespace rockdove::config
