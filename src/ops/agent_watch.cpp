#include "ops/agent_watch.hpp"

namespace rockdove::ops {

std::vector<Condition> AgentWatch::update(const Connected& connected, Time now) {
  if (!options_.is_on) {
    agents_.clear();
    return {};
  }
  for (const auto& [tunnel, agents] : connected)
    for (const std::string& agent : agents) see({tunnel, agent}, now);

  std::vector<Condition> missed;
  for (auto next = agents_.begin(); next != agents_.end();) {
    const auto at = next++;
    Agent& agent = at->second;
    if (agent.seen == now) continue;
    const auto tunnel = connected.find(at->first.first);
    if (!agent.is_known || tunnel == connected.end()) {
      agents_.erase(at);
      continue;
    }
    agent.is_missed |= !tunnel->second.empty();
    const bool is_over = now - agent.seen >= options_.forget_after;
    if (agent.is_missed)
      missed.push_back(
          {AlertKind::agent_gone, at->first.first + '/' + at->first.second, is_over ? 1 : 0, ""});
    if (is_over) agents_.erase(at);
  }
  return missed;
}

void AgentWatch::see(const Key& key, Time now) {
  auto known = agents_.find(key);
  if (known == agents_.end()) {
    if (agents_.size() >= options_.agents_max) return;
    known = agents_.emplace(key, Agent{now, now}).first;
  }
  Agent& agent = known->second;
  agent.seen = now;
  agent.is_missed = false;
  agent.is_known |= now - agent.came >= options_.known_after;
}

void AgentWatch::restore(const std::string& subject, Time gone) {
  const std::size_t slash = subject.find('/');
  if (slash == std::string::npos || agents_.size() >= options_.agents_max) return;
  agents_[{subject.substr(0, slash), subject.substr(slash + 1)}] = {gone, gone, true, true};
}

}  // namespace rockdove::ops
