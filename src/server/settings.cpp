#include "server/settings.hpp"

#include "net/certificate.hpp"

#include <stdexcept>

namespace rockdove::server {

Agents::Options agents_options(const config::ServerConfig& config) {
  Agents::Options options;
  options.limits = {config.limits.running, config.limits.waiting};
  for (const config::TunnelConfig& tunnel : config.tunnels)
    options.tunnels[tunnel.name] = {tunnel.running, tunnel.waiting};
  options.agent_wait = config.agent_wait;
  return options;
}

Ingress::Options ingress_options(const config::ServerConfig& config) {
  Ingress::Options options;
  options.routes = config.routes;
  options.providers = load_provider_routes(config);
  for (const std::string& text : config.trusted_proxies) {
    const auto network = net::Network::parse(text);
    if (!network) throw std::runtime_error("trusted_proxies: \"" + text + "\" is not an address block");
    options.trusted_proxies.push_back(*network);
  }
  options.first_byte_timeout = config.limits.first_byte_timeout;
  options.trace = config.trace;
  options.public_stats = config.public_stats;
  options.log_requests = config.log.requests;
  return options;
}

http::Server::Options http_options(const config::LimitsConfig& limits) {
  http::Server::Options options;
  options.head = limits.head;
  options.body_bytes = limits.body_bytes;
  options.head_timeout = limits.head_timeout;
  options.keep_alive_timeout = limits.idle_timeout;
  options.body_idle_timeout = limits.body_idle_timeout;
  options.write_timeout = limits.write_idle_timeout;
  return options;
}

LinkPort::Options link_options(const config::ServerConfig& config, tunnel::Budget& budget) {
  LinkPort::Options options;
  options.handshakes = config.limits.handshakes;
  options.handshake_timeout = config.limits.handshake_timeout;
  options.link.first_byte = config.limits.first_byte_timeout;
  options.link.stream_idle = config.limits.stream_idle_timeout;
  options.link.h2.budget = &budget;
  return options;
}

std::shared_ptr<net::TlsContext> tunnel_tls(const config::ServerConfig& config) {
  using config::TunnelTls;
  if (config.tunnel_tls.mode == TunnelTls::off) return nullptr;
  if (!config.tunnel_tls.certificate.empty())
    return std::make_shared<net::TlsContext>(
        net::make_server_tls(config.tunnel_tls.certificate, config.tunnel_tls.key));
  net::ensure_own_certificate(config.data);
  return std::make_shared<net::TlsContext>(
      net::make_server_tls(config.data / "tls-certificate.pem", config.data / "tls-key.pem"));
}

std::shared_ptr<net::TlsContext> ingress_tls(const config::ServerConfig& config) {
  if (!config.ingress_tls.enabled()) return nullptr;
  return std::make_shared<net::TlsContext>(
      net::make_server_tls(config.ingress_tls.certificate, config.ingress_tls.key));
}

std::vector<ops::CertificateEnd> certificates(const config::ServerConfig& config) {
  std::vector<ops::CertificateEnd> ends;
  if (config.ingress_tls.enabled())
    ends.push_back({"ingress", net::certificate_end(config.ingress_tls.certificate)});
  if (config.tunnel_tls.mode == config::TunnelTls::certificate)
    ends.push_back({"tunnel", net::certificate_end(config.tunnel_tls.certificate)});
  return ends;
}

inbox::Deliverer::Options deliverer_options(const config::ServerConfig& config) {
  inbox::Deliverer::Options options;
  for (const config::RouteConfig& route : config.routes) {
    inbox::RouteOptions& known = options.routes[route.name] = route.inbox;
    known.tunnel = route.tunnel;
    known.upstream = route.upstream;
    for (const config::TargetConfig& target : route.targets) {
      inbox::RouteOptions& of_target = options.routes[target_route(route.name, target)] = route.inbox;
      of_target.tunnel = target.tunnel;
      of_target.upstream = target.upstream;
    }
  }
  return options;
}

inbox::Inbox::Options inbox_options(const config::ServerConfig& config) {
  inbox::Inbox::Options options;
  options.store.file = config.data / "inbox.db";
  options.store.retention = config.inbox.retention;
  options.deliverer = deliverer_options(config);
  options.capture.memory = config.inbox.memory;
  options.capture.commit_limit = config.inbox.commit_limit;
  return options;
}

}  // namespace rockdove::server
