// The agent's way to its server, step by step as a link takes it: name, proxy, TCP, TLS, secret.
#pragma once

#include "config/agent_config.hpp"
#include "doctor/report.hpp"
#include "net/proxy.hpp"
#include "net/stream.hpp"
#include "tunnel/handshake.hpp"

#include <optional>
#include <vector>

namespace rockdove::doctor {

/// One address of the server. Nothing here makes a link: the running agent keeps its own. Loop thread only.
class Path {
 public:
  /// All must outlive the path. Throws if ca_file cannot be used.
  Path(Report& report, const config::AgentConfig& config, HostPort server);

  /// Adds what it finds; stops at the first step that fails. True if an agent could come this way.
  Awaitable<bool> check();

  /// How long the path keeps a silent connection: tries silences of 5, 10, 20, ... seconds up to `longest`,
  /// on one connection to which the server answers pings. To be called after a check() that was true.
  Awaitable<void> check_idle(std::chrono::seconds longest);

 private:
  struct Probe {
    net::Stream stream;
    tunnel::LinkAnswer answer;
    std::chrono::microseconds took;
    std::chrono::system_clock::time_point asked, answered;
  };
  bool find_way();
  Awaitable<bool> check_names();
  Awaitable<bool> check_tcp();
  Awaitable<bool> check_addresses();
  Awaitable<bool> check_tls();
  Awaitable<bool> check_link();
  Awaitable<Result<net::TcpSocket>> connect(std::string* refusal);
  Awaitable<Result<Probe>> probe();
  void add_unreachable(boost::system::error_code error, const std::string& refusal);
  void add_refusal(const tunnel::LinkRefusal& refusal);
  void add_skew(const tunnel::LinkAccept& accept, const Probe& probe);

  Report& report_;
  const config::AgentConfig& config_;
  const HostPort server_;
  const std::string name_;  // of the server: host:port
  std::optional<net::Proxy> proxy_;
  std::vector<net::Address> addresses_;  // of the server, or of the proxy
  net::TlsTrust trust_;
  std::optional<net::TlsContext> tls_;
};

}  // namespace rockdove::doctor
