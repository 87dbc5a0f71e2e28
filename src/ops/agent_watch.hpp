// Which agents are missed: those that served a tunnel for a while and are gone while others serve it. Pure.
#pragma once

#include "ops/condition.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::ops {

/// A tunnel without any agent is another matter: ops::judge() says so, and of its agents nothing is said here
/// but of those that had been missed before.
class AgentWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// The agents that are connected, by tunnel: every tunnel that has a token, and no other.
  using Connected = std::map<std::string, std::set<std::string>>;
  struct Options {
    bool is_on = true;
    std::chrono::milliseconds known_after{std::chrono::minutes(2)};  ///< connected without a break
    /// A machine that was renamed or put away is missed for so long.
    std::chrono::milliseconds forget_after{std::chrono::hours(24)};
    std::size_t agents_max = 1000;  ///< further ones are not watched
  };

  explicit AgentWatch(Options options) : options_(options) {}
  void set_options(Options options) { options_ = options; }

  /// To be called every now and then. A condition of kind agent_gone for each agent that is missed.
  std::vector<Condition> update(const Connected& connected, Time now);
  /// An earlier process missed it since then; nothing happens unless `subject` is "TUNNEL/AGENT".
  void restore(const std::string& subject, Time gone);

 private:
  using Key = std::pair<std::string, std::string>;  // tunnel, agent
  struct Agent {
    Time came;  // when it was first seen
    Time seen;  // when it was last connected
    bool is_known = false, is_missed = false;
  };

  void see(const Key& key, Time now);

  Options options_;
  std::map<Key, Agent> agents_;
};

}  // namespace rockdove::ops
