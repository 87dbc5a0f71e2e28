#include "server/ingress.hpp"

#include "http/forwarded.hpp"
#include "http/loggable.hpp"
#include "http/trace_context.hpp"
#include "net/log.hpp"
#include "net/log_line.hpp"

namespace rockdove::server {
namespace {

double milliseconds(net::Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

std::string_view shown(std::string_view name) {
  return name.empty() ? "-" : name;
}

std::string members_of(const http::Record& record) {
  std::string all;
  log::append_member(all, "id", record.request_id);
  log::append_member(all, "trace", record.trace_id);
  log::append_member(all, "peer", net::to_string(record.peer));
  log::append_member(all, "method", record.method);
  log::append_member(all, "path", http::loggable(record.target));
  log::append_member(all, "route", record.route);
  log::append_member(all, "tunnel", record.tunnel);
  log::append_member(all, "agent", record.agent);
  log::append_member(all, "status", static_cast<std::uint64_t>(record.status));
  if (record.error) log::append_member(all, "hop", hop_name(hop_of(record.error)));
  if (record.error) log::append_member(all, "cause", error_name(record.error));
  log::append_member(all, "ms", milliseconds(record.ended - record.started));
  log::append_member(all, "edge_ms", milliseconds(record.edge));
  log::append_member(all, "link_ms", milliseconds(record.link));
  log::append_member(all, "upstream_ms", milliseconds(record.upstream));
  log::append_member(all, "bytes_in", record.bytes_in);
  log::append_member(all, "bytes_out", record.bytes_out);
  return all;
}

/// " (0.2 edge, 3.9 link, 8.1 upstream)"; nothing where no link has answered.
std::string hops_of(const http::Record& record) {
  if (record.link + record.upstream == net::Duration::zero()) return {};
  return fmt::format(" ({:.1f} edge, {:.1f} link, {:.1f} upstream)", milliseconds(record.edge),
                     milliseconds(record.link), milliseconds(record.upstream));
}

void log_exchange(const http::Record& record) {
  std::string text = fmt::format(
      "{} {} {} {} -> {} {} {} in {:.1f} ms{}, {} B in, {} B out, id {}, trace {}",
      net::to_string(record.peer), record.method, http::loggable(record.target), shown(record.route),
      shown(record.tunnel), shown(record.agent), record.status, milliseconds(record.ended - record.started),
      hops_of(record), record.bytes_in, record.bytes_out, record.request_id, shown(record.trace_id));
  if (record.error) text += fmt::format(", {}: {}", hop_name(hop_of(record.error)), record.error.message());
  log::record(log::Level::info, "request", text, log::is_json() ? members_of(record) : std::string());
}

}  // namespace

Ingress::Ingress(net::Executor executor, Agents& agents, http::Handler& upstreams, inbox::Capture& capture,
                 inbox::WallClock clock, Pages pages, Options options)
    : dispatch_(executor, agents, upstreams, capture, std::move(clock)),
      pages_(std::move(pages)),
      options_(std::move(options)),
      router_(std::make_shared<Router>(options_.routes)) {}

Awaitable<Result<http::Response>> Ingress::handle(http::Request&& request) {
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
  std::string trace_id = http::join_trace(request, options_.trace);
  if (request.context.record) {
    request.context.record->peer = request.context.peer;
    request.context.record->trace_id = std::move(trace_id);
  }
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
  if (options_.log_requests && log::enabled(log::Level::info, "request")) log_exchange(record);
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
