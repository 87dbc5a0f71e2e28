// The providers of a server's routes, with the secrets that are in force.
#pragma once

#include "config/server_config.hpp"
#include "providers/secrets.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rockdove::server {

struct ProviderRoute {
  providers::Scheme scheme;
  providers::Secrets secrets;
  bool makes_ack = false;                 ///< as config::RouteProvider
  bool plaintext = false;                 ///< the same
  std::vector<std::string> deliver_keys;  ///< of the signatures that go with the plaintext
};

/// By the names that requests have in http::Context::route: those of routes, and of their targets.
using ProviderRoutes = std::map<std::string, std::shared_ptr<const ProviderRoute>, std::less<>>;

/// Reads the secrets of all routes. Throws config::ConfigError: see config::load_secrets().
std::shared_ptr<const ProviderRoutes> load_provider_routes(const config::ServerConfig& config);

/// Says in the log which routes check nothing, because no secret is there to check with.
void warn_of_unchecked(const config::ServerConfig& config, const ProviderRoutes& routes);

}  // namespace rockdove::server
