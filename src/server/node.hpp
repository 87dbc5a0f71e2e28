// The parts of a server and their wiring.
#pragma once

#include "config/server_config.hpp"
#include "http/server.hpp"
#include "inbox/inbox.hpp"
#include "net/inherited.hpp"
#include "net/listener.hpp"
#include "net/task_group.hpp"
#include "ops/health.hpp"
#include "server/admin.hpp"
#include "server/agents.hpp"
#include "server/alerts.hpp"
#include "server/api.hpp"
#include "server/egress.hpp"
#include "server/ingress.hpp"
#include "server/link_port.hpp"
#include "server/plaintext.hpp"
#include "server/tokens.hpp"

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::server {

/// One server on one loop. Loop thread only.
class Node {
 public:
  /// Opens the data directory and the listening sockets; connections wait in the kernel until run().
  /// `inherited`: sockets that take the place of the configuration's addresses, by the names in `listeners`.
  /// Throws std::exception with a message for the operator.
  Node(net::Executor executor, config::ServerConfig config, const net::InheritedSockets& inherited);

  static constexpr std::array<std::string_view, 3> listeners{"ingress", "tunnel", "admin"};

  /// Serves until stop() has been called and everything has ended.
  Awaitable<void> run();

  /// Begins an orderly stop: callers' and agents' work under way gets Config::drain to end. Called again:
  /// ends at once.
  void stop();
  /// Applies what can change in a running server. Throws std::exception, and changes nothing then.
  void reload(config::ServerConfig config);

  const net::Endpoint& ingress_endpoint() const { return ingress_listener_->endpoint(); }
  const net::Endpoint& tunnel_endpoint() const { return tunnel_listener_->endpoint(); }
  const net::Endpoint& admin_endpoint() const { return admin_listener_->endpoint(); }

 private:
  Awaitable<void> serve_caller(net::TcpSocket socket);
  Awaitable<void> refuse_caller(net::TcpSocket socket);
  Awaitable<void> serve_admin(net::TcpSocket socket);
  Awaitable<void> watch();
  void refresh_tokens();
  void use_tokens();
  Awaitable<void> stop_in_order();
  void open_listeners(const net::InheritedSockets& inherited);
  std::unique_ptr<net::Listener> open(const net::InheritedSockets& inherited, const char* name,
                                      const HostPort& address, const net::Listener::Options& options,
                                      net::Listener::OnConnection on_connection,
                                      net::Listener::OnConnection on_overflow = {});
  void apply(const config::ServerConfig& config);
  void use_providers(const config::ServerConfig& config);
  /// Who reads a page: addresses and URLs of the inside are not for everybody.
  enum class Audience { everybody, operators };
  std::optional<http::Response> page(std::string_view target, Audience audience) const;
  http::Response health(Audience audience) const;
  http::Response live() const;
  http::Response ready() const;
  boost::json::object stats(Audience audience) const;
  std::string metrics() const;
  ops::Health judge_health() const;
  std::optional<ops::Disk> disk() const;
  std::set<std::string> tunnels() const;  // those that have a token
  std::int64_t uptime() const;            // seconds

  const net::Executor executor_;
  config::ServerConfig config_;
  const net::Clock::time_point started_ = net::Clock::now();
  const std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();
  tunnel::Budget budget_;
  TokenStore tokens_;
  Agents agents_;
  Plaintext plaintext_;
  inbox::Inbox inbox_;
  Ingress ingress_;
  Egress egress_;
  Alerts alerts_;
  Api api_;
  Admin admin_;
  http::Server ingress_server_;
  http::Server admin_server_;
  std::shared_ptr<net::TlsContext> tunnel_tls_, ingress_tls_;
  std::vector<ops::CertificateEnd> certificates_;  // of those contexts
  LinkPort link_port_;
  std::unique_ptr<net::Listener> ingress_listener_, tunnel_listener_, admin_listener_;
  net::TaskGroup deliveries_;
  net::TaskGroup tasks_;
  net::Event stop_;
  std::string tokens_error_;  // said once
  std::uint64_t commits_ = 0;
  net::Clock::time_point committed_ = net::Clock::now();  // when watch() saw the last commit
  bool stopping_ = false;
};

}  // namespace rockdove::server
