// A route's provider: whose webhooks come there, what proves them, and what the upstream gets of them.
#pragma once

#include "config/secret_source.hpp"
#include "inbox/route_options.hpp"
#include "providers/catalog.hpp"
#include "providers/secrets.hpp"

#include <string>
#include <utility>
#include <vector>

namespace rockdove::config {

struct RouteProvider {
  providers::Scheme scheme{};
  /// Name of the secret and where it is; several of one name while one is replaced by the next.
  std::vector<std::pair<std::string, SecretSource>> secrets{};
  bool makes_ack = false;  ///< the acknowledgement is made for each request, RouteOptions::ack is a stopgap
  bool plaintext =
      false;  ///< deliver = "verified-plaintext": the upstream gets the decrypted body, signed by us
  std::vector<SecretSource> deliver_secrets{};  ///< of that signature

  bool operator==(const RouteProvider&) const = default;
};

/// One of several destinations of a route's events, with deliveries of its own.
struct TargetConfig {
  std::string name{};      ///< within its route; the inbox knows it as "route/name"
  std::string tunnel{};    ///< empty: the one tunnel there is
  std::string upstream{};  ///< its name at the agent; empty: the default one
  std::vector<std::string>
      types{};  ///< of events that it wants: "a.b", or "a.*" for all that begin so; empty: all

  bool operator==(const TargetConfig&) const = default;
};

/// The name under which a target's events are stored: no [[route]] can have it.
std::string target_route(const std::string& route, const TargetConfig& target);

/// Reads `provider`, `secrets`, `deliver` and `deliver_secret` of a [[route]]; nothing if it has no provider.
/// Secrets that the route does not mention come from ROCKDOVE_<PROVIDER>_<SECRET> of the environment where
/// that is set. Throws ConfigError.
std::optional<RouteProvider> read_route_provider(Section& route, const providers::Catalog& catalog);

/// Sees to it that no captured request is still good when its event has been forgotten: `options` are the
/// route's. A signed timestamp may be off by half of dedupe_window at most, one way before the request comes
/// and the other way when it comes again. That is the tolerance of checks that have none. Throws ConfigError
/// if one has a longer tolerance.
void limit_ages(Section& route, RouteProvider& provider, const inbox::RouteOptions& options);

/// For how long an event has to be remembered, so that no captured request of it is taken for a new one. Zero
/// if nothing says how old a request is, or if the route remembers nothing.
std::chrono::milliseconds needed_memory(const RouteProvider& provider, const inbox::RouteOptions& options);

/// Reads the [[route.target]] of a [[route]]. Throws ConfigError.
std::vector<TargetConfig> read_targets(Section& route, bool has_provider);

/// The scheme's acknowledgement, if it is the same for every request.
std::optional<inbox::CannedAnswer> fixed_ack(const providers::Scheme& scheme);

/// Reads the secrets from where they are. Throws ConfigError if one cannot be read or is no key for the
/// provider, or if something is to be signed or decrypted and there is none.
providers::Secrets load_secrets(const std::string& route, const RouteProvider& provider);
/// The keys of the signatures that the upstream gets.
std::vector<std::string> load_deliver_keys(const std::string& route, const RouteProvider& provider);

}  // namespace rockdove::config
