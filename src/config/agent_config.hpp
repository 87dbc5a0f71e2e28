// What the operator of an agent sets. config/agent.toml shows every key.
#pragma once

#include "base/host_port.hpp"
#include "config/log_config.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::config {

/// How the agent checks the server.
enum class ServerTls {
  pin,  ///< TLS; the server must have the pinned key
  ca,   ///< TLS; the certificate must come from an authority of the system, or of `ca_file`
  off,  ///< no TLS: only within one machine or a private network
};

/// The port of a server address that names none.
inline constexpr std::uint16_t default_tunnel_port = 8081;

/// The [server] table: what `rockdove join` writes.
struct ServerLink {
  std::vector<HostPort> address;  ///< tried in turn; empty: this agent has not joined yet
  std::string tunnel;             ///< the tunnel to serve
  std::string secret;             ///< of its token; never printed
  ServerTls tls = ServerTls::pin;
  std::string pin;                ///< the server's key, base64url of a SHA-256; with mode pin only
  std::filesystem::path ca_file;  ///< PEM; empty: the system's authorities

  bool operator==(const ServerLink&) const = default;
};

/// A local HTTP service.
struct UpstreamConfig {
  std::string name = "default";               ///< as routes call it
  std::string url = "http://127.0.0.1:5000";  ///< scheme, host and port, without a path
  bool tls = false;                           ///< from `url`: https
  HostPort address{"127.0.0.1", 5000};        ///< from `url`
  std::string health;  ///< target of a GET that answers 2xx or 3xx; empty: a TCP connect
  std::chrono::milliseconds health_interval{5000};       ///< between two checks; 0: no checks
  std::chrono::milliseconds connect_timeout{5000};       ///< for a connection, TLS included
  std::chrono::milliseconds first_byte_timeout{60'000};  ///< for an answer's head; a route may have its own
  std::chrono::milliseconds idle_timeout{600'000};       ///< without a byte, once the answer began
  std::size_t connections = 256;                         ///< open at a time; more requests wait for one

  bool operator==(const UpstreamConfig&) const = default;
};

/// The proxy that local programs send their calls to, so that those leave by the server's address.
struct AgentEgress {
  static inline const HostPort default_listen{"127.0.0.1", 5001};
  std::optional<HostPort> listen = default_listen;  ///< none: off

  bool operator==(const AgentEgress&) const = default;
};

struct AgentConfig {
  ServerLink server;
  std::string name;       ///< tells the agents of one tunnel apart; default: the host's name
  std::size_t links = 2;  ///< connections to the server at a time
  std::chrono::milliseconds drain{30'000};  ///< at shutdown, requests get so long to end
  std::string proxy;  ///< to the server: empty: as the environment says, "none", or a URL
  std::vector<UpstreamConfig> upstreams{UpstreamConfig{}};  ///< at least one, names unique
  AgentEgress egress;
  LogConfig log;

  bool operator==(const AgentConfig&) const = default;
};

/// Sets url and what follows from it. Throws ConfigError, without a file name, that says what a URL may be.
void set_url(UpstreamConfig& upstream, std::string_view url);

/// Reads and checks a whole configuration; `file` is what errors call it. Throws ConfigError. The secret
/// comes from `secret`, or from the file that `secret_file` names. An agent that has not joined is valid; see
/// check_joined().
AgentConfig parse_agent_config(std::string_view text, const std::string& file);
/// The same from a file; an empty path gives the defaults. ROCKDOVE_SECRET of the environment, if set, takes
/// the place of the secret; take_log_environment() has its say.
AgentConfig load_agent_config(const std::filesystem::path& path);

/// Throws ConfigError that says how to join unless address, tunnel, secret and, with mode pin, pin are set.
void check_joined(const AgentConfig& config);

}  // namespace rockdove::config
