// Keeps one link to the server alive: dial, say hello, run, and again after a while.
#pragma once

#include "base/backoff.hpp"
#include "config/agent_config.hpp"
#include "http/handler.hpp"
#include "net/task_group.hpp"
#include "net/tls.hpp"
#include "tunnel/handshake.hpp"
#include "tunnel/link.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>

namespace rockdove::agent {

/// What an agent's connectors have in common.
struct Truce {
  net::Clock::time_point until{};  ///< no link is asked for before: another process has our name
};

/// One of an agent's links, and the one that takes its place when the server drains. Loop thread only.
class Connector {
 public:
  struct Options {
    config::ServerLink server;
    std::string proxy;  ///< as AgentConfig::proxy
    std::string agent, instance;
    int index = 0;
    tunnel::Direction direction = tunnel::Direction::ingress;  ///< egress: we open the streams
    std::optional<HostPort> own_proxy;  ///< a way to the server that would lead through this very agent
    std::shared_ptr<Truce> truce = std::make_shared<Truce>();
    net::Duration handshake_timeout = std::chrono::seconds(15);  ///< TCP connect to link running
    tunnel::Link::Options link;
  };

  /// `upstreams` answers; it must outlive the connector. `report` makes the note that a new link begins with.
  /// `on_link` is told when link() may be another one.
  Connector(net::Executor executor, Options options, http::Handler& upstreams,
            std::function<std::string()> report, std::function<void()> on_link);
  /// For the direction egress.
  Connector(net::Executor executor, Options options, std::function<void()> on_link);

  /// Keeps the link until cancelled.
  Awaitable<void> run();
  /// No new links; the server is told to send nothing more here. Returns when nothing is in flight.
  Awaitable<void> drain();
  /// Ends the links with a goodbye, at most a second later.
  Awaitable<void> close();
  void send_note(const std::string& text);

  bool is_connected() const { return !links_.empty(); }
  /// The link to open streams on; null while there is none.
  std::shared_ptr<tunnel::Link> link() const;

 private:
  struct Connected {
    net::Stream stream;
    std::string early;
  };
  Awaitable<Result<Connected>> connect(HostPort address);
  Awaitable<Result<net::TcpSocket>> dial(HostPort address);
  Awaitable<Result<std::string>> say_hello(net::Stream& stream, std::string host);
  Awaitable<void> run_link(std::shared_ptr<tunnel::Link> link, std::string early);
  std::shared_ptr<tunnel::Link> make_link(net::Stream stream);
  Connector(net::Executor executor, Options options, http::Handler* upstreams,
            std::function<std::string()> report, std::function<void()> on_link);
  void explain(const tunnel::LinkRefusal& refusal);
  void log_failure(const HostPort& address, boost::system::error_code error);

  const net::Executor executor_;
  const Options options_;
  http::Handler* const upstreams_;             // null: this side opens the streams
  const std::function<std::string()> report_;  // empty: there is nothing to report
  const std::function<void()> on_link_;
  const std::string name_;  // of the link, in the log
  std::optional<net::TlsContext> tls_;
  net::TlsTrust trust_;
  Backoff backoff_;
  net::TaskGroup running_;
  std::set<std::shared_ptr<tunnel::Link>> links_;
  net::Event news_;  // the current link has ended, or is to be replaced
  std::shared_ptr<tunnel::Link> current_;
  std::optional<net::Duration> told_pause_;  // the server said when to come back
  std::string last_failure_;
  bool draining_ = false;
};

}  // namespace rockdove::agent
