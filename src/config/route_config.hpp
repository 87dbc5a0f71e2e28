// Which requests go where, and how they are treated on the way.
#pragma once

#include "config/route_provider.hpp"
#include "config/toml_reader.hpp"
#include "inbox/route_options.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace rockdove::config {

/// Which tunnel gets the requests for a host and path.
struct RouteConfig {
  std::string name{};      ///< in logs, metrics and error bodies; unique
  std::string host{};      ///< lower case; exact, "*.example.com" (one label or more), or "" for every host
  std::string path = "/";  ///< prefix of whole segments, compared with the raw path
  std::string tunnel{};    ///< empty: the one tunnel there is
  std::string upstream{};  ///< the upstream's name at the agent; empty: its default one
  std::string host_header =
      "keep";  ///< for the upstream: "keep" the caller's, "upstream" its own, or this one
  std::chrono::milliseconds first_byte_timeout{0};  ///< zero: LimitsConfig::first_byte_timeout
  inbox::RouteOptions inbox{};                      ///< whether and how requests are stored
  std::optional<RouteProvider> provider{};  ///< whose webhooks these are; nothing: nobody looks at them
  std::vector<TargetConfig> targets{};      ///< an event goes to each that wants it; empty: to `tunnel`

  bool operator==(const RouteConfig&) const = default;
};

/// What a server without any [[route]] has: Feishu's events are stored, everything else goes live.
std::vector<RouteConfig> default_routes();

/// Reads one [[route]], whose provider is one of `catalog`, and checks it as far as it can be checked alone.
/// Throws ConfigError.
RouteConfig read_route(Section& section, const providers::Catalog& catalog);

}  // namespace rockdove::config
