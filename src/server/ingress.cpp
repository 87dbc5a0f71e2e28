#include "server/ingress.hpp"

#include "http/forwarded.hpp"
#include "net/log.hpp"

namespace rockdove::server {

Ingress::Ingress(net::Executor executor, Agents& agents, http::Handler& upstreams, inbox::Capture& capture,
                 inbox::WallClock clock, Pages pages, Options options)
    : dispatch_(executor, agents, upstreams, capture, std::move(clock)),
      pages_(std::move(pages)),
      options_(std::move(options)),
      router_(std::make_shared<Router>(options_.routes)) {}

Awaitable<Result<http::Response>> Ingress::handle(http::Request request) {
  if (auto page = own_page(request)) return http::ready(std::move(*page));
  // A proxy request (absolute-form) would let callers reach what is behind the upstream: not here.
  const bool is_origin_form =
      request.target.starts_with('/') || request.target == "*" || request.method == "CONNECT";
  if (!is_origin_form) return http::ready(Error::malformed);
  const std::string_view host = request.fields.get("host").value_or("");
  const config::RouteConfig* route = router_->find(host, request.target);
  if (!route) return http::ready(Error::no_route);
  if (!route->provider && router_->evades_provider(route, host, request.target))
    return http::ready(Error::malformed);
  if (request.context.record) request.context.record->route = route->name;
  request.context.route = route->name;
  request.context.tunnel = route->tunnel;
  request.context.upstream = route->upstream;
  const net::Duration own_limit = route->first_byte_timeout;
  request.context.first_byte_timeout =
      own_limit > net::Duration::zero() ? own_limit : options_.first_byte_timeout;
  http::set_forwarded(request, [this](const net::Address& address) {
    for (const net::Network& network : options_.trusted_proxies)
      if (network.contains(address)) return true;
    return false;
  });
  if (request.context.record) request.context.record->peer = request.context.peer;
  return dispatch_.handle(std::move(request), Dispatch::Route(router_, route), provider_of(route->name));
}

Dispatch::Provider Ingress::provider_of(std::string_view route) const {
  const auto found = options_.providers->find(route);
  return found == options_.providers->end() ? nullptr : found->second;
}

std::optional<http::Response> Ingress::own_page(const http::Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  if (request.target != "/health" && !(request.target == "/stats" && options_.public_stats))
    return std::nullopt;
  return pages_(request.target);
}

void Ingress::on_done(const http::Record& record) {
  if (record.route.empty() && !record.error) return;  // our own pages, asked for every few seconds
  if (!record.route.empty()) stats_[record.route].add(record);
  if (!options_.log_requests || !log::enabled(log::Level::info)) return;
  const std::chrono::duration<double, std::milli> time = record.ended - record.started;
  log::info("request", "{} {} {} {} -> {} {} in {:.1f} ms, {} B in, {} B out, id {}{}{}",
            net::to_string(record.peer), record.method, record.target,
            record.route.empty() ? "-" : record.route, record.agent.empty() ? "-" : record.agent,
            record.status, time.count(), record.bytes_in, record.bytes_out, record.request_id,
            record.error ? ", " : "", record.error ? record.error.message() : "");
}

void Ingress::set_options(Options options) {
  options_ = std::move(options);
  router_ = std::make_shared<Router>(options_.routes);
}

const ops::RouteStats& Ingress::stats_of(const std::string& route) const {
  static const ops::RouteStats none;
  const auto stats = stats_.find(route);
  return stats == stats_.end() ? none : stats->second;
}

std::vector<ops::MetricsSource::Route> Ingress::routes() const {
  std::vector<ops::MetricsSource::Route> routes;
  for (const config::RouteConfig& route : options_.routes)
    routes.push_back({route.name, route.tunnel, &stats_of(route.name)});
  return routes;
}

boost::json::array Ingress::to_json() const {
  const auto now = net::Clock::now();
  boost::json::array routes;
  for (const config::RouteConfig& route : options_.routes) {
    auto json = ops::to_json(route.name, route.tunnel, stats_of(route.name), now);
    if (const auto provider = provider_of(route.name))
      json["provider"] = dispatch_.edge().to_json(route.name, *provider);
    routes.push_back(std::move(json));
  }
  return routes;
}

}  // namespace rockdove::server
