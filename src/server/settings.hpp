// What the configuration means for each part of a server.
#pragma once

#include "config/server_config.hpp"
#include "http/server.hpp"
#include "inbox/inbox.hpp"
#include "ops/metrics.hpp"
#include "server/agents.hpp"
#include "server/ingress.hpp"
#include "server/link_port.hpp"

#include <memory>
#include <vector>

namespace rockdove::server {

Agents::Options agents_options(const config::ServerConfig& config);
/// Reads the routes' secrets. Throws std::runtime_error for one that cannot be used, and for an address block
/// that is none.
Ingress::Options ingress_options(const config::ServerConfig& config);
http::Server::Options http_options(const config::LimitsConfig& limits);
/// `budget` is shared by all links and must outlive them.
LinkPort::Options link_options(const config::ServerConfig& config, tunnel::Budget& budget);
inbox::Deliverer::Options deliverer_options(const config::ServerConfig& config);
inbox::Inbox::Options inbox_options(const config::ServerConfig& config);

/// The contexts for new connections; null where the configuration wants no TLS. tunnel_tls() makes the
/// server's own key if there is none yet. Throw std::exception that names the file.
std::shared_ptr<net::TlsContext> tunnel_tls(const config::ServerConfig& config);
std::shared_ptr<net::TlsContext> ingress_tls(const config::ServerConfig& config);
/// The ends of the certificates that somebody has to renew: not of the server's own, whose key agents trust
/// and not its date. Throws as those do.
std::vector<ops::CertificateEnd> certificates(const config::ServerConfig& config);

}  // namespace rockdove::server
