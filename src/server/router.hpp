// Which route a request takes. Pure.
#pragma once

#include "config/server_config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rockdove::server {

/// Routes by host and path prefix. The most specific one wins: an exact host before a wildcard (a longer
/// one first) before none, then the longer path; among equals the one written first.
class Router {
 public:
  explicit Router(std::vector<config::RouteConfig> routes);

  /// The route for a Host value (with or without port, any case) and a raw request target; null if
  /// none fits. `path` compares whole segments: "/a" covers "/a", "/a/b" and "/a?x", not "/ab". The target
  /// is compared as received, not decoded. Valid as long as the router.
  const config::RouteConfig* find(std::string_view host, std::string_view target) const;

  /// True if a program that decodes paths, folds slashes and dots or ignores case would take the target for
  /// one of a route with a provider, other than `found`: whoever writes it so gets around the provider's
  /// proof.
  bool evades_provider(const config::RouteConfig* found, std::string_view host,
                       std::string_view target) const;

  const std::vector<config::RouteConfig>& routes() const { return routes_; }

 private:
  std::vector<config::RouteConfig> routes_;  // most specific first
  std::vector<std::string> lenient_paths_;   // of each, as lenient programs read it
  bool has_provider_ = false;                // one of them
  bool has_plain_paths_ = true;              // each reads its own path as it stands
};

}  // namespace rockdove::server
