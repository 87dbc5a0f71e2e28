// The parts of an agent and their wiring.
#pragma once

#include "agent/connector.hpp"
#include "agent/egress_proxy.hpp"
#include "agent/request_log.hpp"
#include "agent/upstreams.hpp"
#include "config/agent_config.hpp"
#include "net/task_group.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace rockdove::agent {

/// One agent on one loop. Loop thread only.
class Node {
 public:
  /// Throws std::exception with a message for the operator. `on_link` is told whenever a link to the server
  /// stands.
  Node(net::Executor executor, config::AgentConfig config, std::function<void()> on_link);

  /// Keeps the links until stop() has been called and everything has ended.
  Awaitable<void> run();
  /// Begins an orderly stop: requests under way get AgentConfig::drain to end. Called again: ends at once.
  void stop();
  /// Whether each request gets a line in the log; from the next one on.
  void log_requests(bool is_on) { request_log_.turn(is_on); }

 private:
  void open_egress(const Connector::Options& options);
  static Awaitable<void> drain(Connector& connector);
  static Awaitable<void> drain_egress(EgressProxy& egress);
  std::string report() const;

  const net::Executor executor_;
  const config::AgentConfig config_;
  Upstreams upstreams_;
  RequestLog request_log_;
  std::vector<std::unique_ptr<Connector>> connectors_;
  std::unique_ptr<EgressProxy> egress_;  // null: none
  net::TaskGroup tasks_;
  net::TaskGroup draining_;
  net::Event stop_;
  bool stopping_ = false;
};

}  // namespace rockdove::agent
