// What the operator of a server sets. config/server.toml shows every key.
#pragma once

#include "base/host_port.hpp"
#include "config/alerts_config.hpp"
#include "config/egress_config.hpp"
#include "config/log_config.hpp"
#include "config/route_config.hpp"
#include "http/parser.hpp"
#include "inbox/store.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::config {

/// How agents check the server they reach.
enum class TunnelTls {
  pin,          ///< TLS; the join string carries the key's pin
  certificate,  ///< TLS; the certificate comes from an authority that agents know
  off,          ///< no TLS here: something before the server does it, or a test
};

struct TunnelTlsConfig {
  TunnelTls mode = TunnelTls::pin;
  std::filesystem::path
      certificate;            ///< PEM chain; empty (mode pin): made at first start in the data directory
  std::filesystem::path key;  ///< PEM; goes with `certificate`

  bool operator==(const TunnelTlsConfig&) const = default;
};

struct IngressTlsConfig {
  std::filesystem::path certificate;  ///< PEM chain; empty: the ingress speaks plain HTTP
  std::filesystem::path key;          ///< PEM; goes with `certificate`

  bool enabled() const { return !certificate.empty(); }
  bool operator==(const IngressTlsConfig&) const = default;
};

/// Limits of the public side. A duration of zero means no limit, except where it says otherwise.
struct LimitsConfig {
  std::size_t connections = 4096;  ///< callers' connections open at a time; more wait in the kernel
  http::HeadLimits head;           ///< target_bytes, header_bytes, header_fields
  std::uint64_t body_bytes = 1024ULL * 1024 * 1024;  ///< bytes of a request's body; 0: no limit
  std::chrono::milliseconds head_timeout{10'000};  ///< for a request's head once its first byte came; never 0
  std::chrono::milliseconds idle_timeout{75'000};  ///< for the next request on a kept connection
  std::chrono::milliseconds body_idle_timeout{30'000};   ///< between two pieces of a request's body
  std::chrono::milliseconds write_idle_timeout{60'000};  ///< for a caller to take the next piece of an answer
  std::chrono::milliseconds first_byte_timeout{60'000};  ///< for an answer's head; a route may have its own
  std::chrono::milliseconds stream_idle_timeout{
      600'000};                                         ///< without a byte either way, once the answer began
  std::size_t handshakes = 64;                          ///< of agents, a quarter of them with one address
  std::chrono::milliseconds handshake_timeout{10'000};  ///< for one of them; never 0
  std::size_t running = 512;                            ///< requests a tunnel serves at a time
  std::size_t waiting = 1024;                           ///< requests that wait for one of those, per tunnel
  std::size_t link_memory = 256ULL * 1024 * 1024;       ///< bytes that all links together may buffer

  bool operator==(const LimitsConfig&) const;
};

/// A tunnel whose limits differ from the defaults. Tunnels that only tokens name need none of this.
struct TunnelConfig {
  std::string name;
  std::size_t running = 0;  ///< as LimitsConfig::running, which is its default
  std::size_t waiting = 0;  ///< as LimitsConfig::waiting, which is its default

  bool operator==(const TunnelConfig&) const = default;
};

/// The store of events, for all routes.
struct InboxConfig {
  inbox::Retention retention;
  std::size_t memory = 256ULL * 1024 * 1024;      ///< bytes of requests that are being stored at a time
  std::chrono::milliseconds commit_limit{2'000};  ///< mode inbox: a disk that is slower refuses; never 0

  bool operator==(const InboxConfig&) const;
};

struct ServerConfig {
  HostPort ingress{"0.0.0.0", 8080};  ///< where callers connect; port 0: any free one
  HostPort tunnel{"0.0.0.0", 8081};   ///< where agents connect
  HostPort admin{"127.0.0.1", 8082};  ///< health, stats and the API, which wants the token
  std::filesystem::path data =
      "./rockdove-data";                      ///< tokens and own TLS key; relative to the working directory
  std::string service = "feishu-webhook-ws";  ///< the name that /health reports
  std::vector<std::string> address;          ///< host[:port] for join strings, tried in order; empty: guessed
  std::vector<std::string> trusted_proxies;  ///< address blocks whose X-Forwarded-For is believed; CIDR form
  std::chrono::milliseconds agent_wait{
      2000};  ///< a request waits so long for an agent to come back; 0: not at all
  std::chrono::milliseconds drain{30'000};  ///< at shutdown, requests get so long to end
  bool trace = true;                        ///< requests without a valid traceparent get one
  bool public_stats = true;                 ///< the ingress answers GET /stats, not only admin
  TunnelTlsConfig tunnel_tls;
  IngressTlsConfig ingress_tls;
  LogConfig log;
  LimitsConfig limits;
  std::vector<TunnelConfig> tunnels;
  InboxConfig inbox;
  EgressConfig egress;
  AlertsConfig alerts;
  std::vector<RouteConfig> routes = default_routes();  ///< at least one

  bool operator==(const ServerConfig&) const = default;
};

/// Reads and checks a whole configuration; `file` is what errors call it. Throws ConfigError.
ServerConfig parse_server_config(std::string_view text, const std::string& file);
/// The same from a file, with take_log_environment(); an empty path gives the defaults.
ServerConfig load_server_config(const std::filesystem::path& path);

}  // namespace rockdove::config
