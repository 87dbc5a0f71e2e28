// The agent's proxy for local programs: their calls leave by the server's address.
#pragma once

#include "agent/connector.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"

#include <list>
#include <memory>

namespace rockdove::agent {

/// Takes requests of programs on this machine and sends them down a link of its own, as they are: the server
/// judges them. Loop thread only; close() must have returned before it is destroyed.
class EgressProxy final : public http::Handler {
 public:
  struct Options {
    HostPort listen;
    std::size_t connections = 512;                      ///< of local programs at a time; more are closed
    net::Duration link_wait = std::chrono::seconds(2);  ///< bridges a reconnect; then Error::no_link
    Connector::Options connector;
  };

  /// Listens; throws std::runtime_error that names the address if it cannot.
  EgressProxy(net::Executor executor, Options options);

  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  /// Keeps the link and takes connections until close() or cancellation.
  Awaitable<void> run();
  /// No new calls. Returns when none is under way.
  Awaitable<void> drain();
  /// Ends everything, at most a second later.
  Awaitable<void> close();
  const net::Endpoint& endpoint() const { return listener_.endpoint(); }

 private:
  struct Waiter;
  Awaitable<std::shared_ptr<tunnel::Link>> wait_for_link(net::Clock::time_point until);
  Awaitable<void> serve(net::TcpSocket socket);

  const net::Executor executor_;
  const Options options_;
  std::list<Waiter*> waiters_;  // for a link
  Connector connector_;
  http::Server server_;
  net::Listener listener_;
  net::TaskGroup tasks_;
  bool draining_ = false;
};

}  // namespace rockdove::agent
