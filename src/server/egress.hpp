// Egress as a part of the server: the gate, the links and the proxy port that lead to it, its own address.
#pragma once

#include "config/server_config.hpp"
#include "egress/entrance.hpp"
#include "egress/gate.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"
#include "net/task_group.hpp"
#include "server/egress_links.hpp"
#include "server/egress_memory.hpp"
#include "server/tokens.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <vector>

namespace rockdove::server {

/// As a Handler it answers /api/v1/egress/… of the admin API. Loop thread only.
class Egress final : public http::Handler {
 public:
  /// `tokens` must outlive it; `refresh` brings them up to date; `clock` tells the wall time. Opens the proxy
  /// port, if there is to be one. Throws std::exception with a message for the operator.
  Egress(net::Executor executor, const config::ServerConfig& config, const TokenStore& tokens,
         std::function<void()> refresh, egress::WallClock clock);

  /// Takes connections of the proxy port until drain() or cancellation.
  Awaitable<void> run();
  /// Runs a link of an agent to its end and says why it ended.
  Awaitable<boost::system::error_code> serve(net::Stream stream, AgentLink entry, std::string early,
                                             tunnel::Link::Options options);
  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  /// Connections of the proxy port get this context from now on; null: plain ones.
  void set_tls(std::shared_ptr<net::TlsContext> tls) { tls_ = std::move(tls); }
  /// Throws std::exception, and changes nothing then.
  void set_options(const config::ServerConfig& config);
  /// Cuts off every link and every connection of the proxy port whose token `is_valid` denies.
  void revoke(const std::function<bool(const std::string& token_id)>& is_valid);

  /// No new calls; those under way go on.
  void drain();
  /// Returns once no call is under way, at most after `limit`; false if there are some then. Zero or less:
  /// looks once.
  Awaitable<bool> idle_for(net::Duration limit);
  /// Drops every link and connection.
  void abort();
  /// Once no serve() is left.
  Awaitable<void> close();

  boost::json::object to_json(bool with_destinations) const;

 private:
  struct ProxyConnection;
  using ProxyConnectionPtr = std::shared_ptr<ProxyConnection>;
  Awaitable<void> serve_proxy(net::TcpSocket socket);
  static Awaitable<void> run_proxy(ProxyConnectionPtr connection, net::Stream stream);
  Awaitable<Result<std::string>> ask_address();

  const net::Executor executor_;
  std::string check_url_;
  std::chrono::milliseconds handshake_timeout_;
  EgressMemory memory_;  // outlives the calls, which are the gate's
  egress::Gate gate_;
  const egress::ProxyEntrance::Verify verify_;
  http::Server::Options proxy_options_;
  egress::ProxyEntrance::Refusals refusals_;
  bool is_draining_ = false;
  std::vector<ProxyConnectionPtr> proxies_;
  net::TaskGroup proxy_tasks_;
  EgressLinks links_;
  std::shared_ptr<net::TlsContext> tls_;
  std::unique_ptr<net::Listener> listener_;  // null: no proxy port
};

}  // namespace rockdove::server
