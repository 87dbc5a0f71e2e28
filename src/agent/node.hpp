// The parts of an agent and their wiring.
#pragma once

#include "agent/connector.hpp"
#include "agent/upstreams.hpp"
#include "config/agent_config.hpp"
#include "net/task_group.hpp"

#include <memory>
#include <vector>

namespace rockdove::agent {

/// One agent on one loop. Loop thread only.
class Node {
 public:
  /// Throws std::exception with a message for the operator.
  Node(net::Executor executor, config::AgentConfig config);

  /// Keeps the links until stop() has been called and everything has ended.
  Awaitable<void> run();
  /// Begins an orderly stop: requests under way get AgentConfig::drain to end. Called again: ends at once.
  void stop();

 private:
  Awaitable<void> drain(Connector& connector);
  std::string report() const;

  const net::Executor executor_;
  const config::AgentConfig config_;
  Upstreams upstreams_;
  std::vector<std::unique_ptr<Connector>> connectors_;
  net::TaskGroup tasks_;
  net::TaskGroup draining_;
  net::Event stop_;
  bool stopping_ = false;
};

}  // namespace rockdove::agent
