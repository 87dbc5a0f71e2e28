// The links on which agents bring calls: egress, where the agent opens the streams.
#pragma once

#include "server/agents.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rockdove::server {

/// Keeps the links of all agents, so that they can be replaced, cut off and taken down. Loop thread only.
class EgressLinks {
 public:
  /// Adds a link that is about to run; it replaces links of the same agent as Agents::add() does.
  std::shared_ptr<AgentLink> add(AgentLink link);
  /// Forgets a link that has ended; nothing happens if it has been replaced already.
  void remove(const std::shared_ptr<AgentLink>& link);

  /// Closes every link whose token `is_valid` denies.
  void revoke(const std::function<bool(const std::string& token_id)>& is_valid);
  /// Tells every agent to bring new calls elsewhere.
  void drain();
  void abort_all();
  std::size_t count() const { return links_.size(); }

 private:
  AgentLinks links_;
};

}  // namespace rockdove::server
