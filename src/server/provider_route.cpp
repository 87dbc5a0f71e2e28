#include "server/provider_route.hpp"

#include "net/log.hpp"

namespace rockdove::server {

std::shared_ptr<const ProviderRoutes> load_provider_routes(const config::ServerConfig& config) {
  auto routes = std::make_shared<ProviderRoutes>();
  for (const config::RouteConfig& route : config.routes) {
    if (!route.provider) continue;
    auto loaded = std::make_shared<ProviderRoute>();
    loaded->scheme = route.provider->scheme;
    loaded->secrets = load_secrets(route.name, *route.provider);
    loaded->makes_ack = route.provider->makes_ack;
    loaded->plaintext = route.provider->plaintext;
    loaded->deliver_keys = load_deliver_keys(route.name, *route.provider);
    for (const config::TargetConfig& target : route.targets)
      routes->emplace(target_route(route.name, target), loaded);
    routes->emplace(route.name, std::move(loaded));
  }
  return routes;
}

void warn_of_unchecked(const config::ServerConfig& config, const ProviderRoutes& routes) {
  for (const config::RouteConfig& route : config.routes) {
    const auto found = routes.find(route.name);
    if (found == routes.end() || !found->second->secrets.empty()) continue;
    log::warn("edge", "{}: no secret of {} is set, so anybody's requests are taken for theirs", route.name,
              found->second->scheme.name);
  }
}

}  // namespace rockdove::server
