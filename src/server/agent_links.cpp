#include "server/agent_links.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rockdove::server {
namespace {

// With so many streams on a link the next ones go to another: one connection carries only so much.
constexpr std::size_t streams_together = 64;

using Iterator = AgentLinks::const_iterator;

Iterator end_of_agent(Iterator first, Iterator end) {
  return std::find_if_not(first, end,
                          [&](const auto& other) { return other->hello.agent == (*first)->hello.agent; });
}

bool is_down(const AgentLink& link, std::string_view upstream) {
  const auto report = std::ranges::find(link.upstreams, upstream, &tunnel::UpstreamReport::name);
  return report != link.upstreams.end() && !report->up;
}

}  // namespace

void add_link(AgentLinks& links, std::shared_ptr<AgentLink> link) {
  const auto is_sibling = [&](const auto& other) { return other->hello.agent == link->hello.agent; };
  links.insert(std::ranges::find_if(links, is_sibling), std::move(link));
}

AgentLinks take_replaced(AgentLinks& links, const tunnel::LinkHello& hello) {
  AgentLinks replaced;
  std::erase_if(links, [&](const std::shared_ptr<AgentLink>& old) {
    if (old->hello.tunnel != hello.tunnel || old->hello.agent != hello.agent) return false;
    const bool is_same_run = old->hello.instance == hello.instance;
    if (is_same_run && old->hello.link_index != hello.link_index) return false;
    replaced.push_back(old);
    return true;
  });
  return replaced;
}

std::shared_ptr<AgentLink> choose_link(const AgentLinks& links, std::string_view upstream, const Tried& tried,
                                       net::Clock::time_point now, net::Duration fresh) {
  if (upstream.empty()) upstream = tunnel::default_upstream;
  std::shared_ptr<AgentLink> best;
  std::tuple<bool, bool, std::size_t, std::uint64_t> best_rank;
  for (auto first = links.begin(), last = first; first != links.end(); first = last) {
    last = end_of_agent(first, links.end());
    if (tried.agents.contains((*first)->hello.agent)) continue;
    std::shared_ptr<AgentLink> chosen;
    std::tuple<bool, bool, std::size_t, std::size_t> chosen_rank;
    std::size_t outstanding = 0;
    std::uint64_t last_turn = 0;
    for (const auto& each : std::ranges::subrange(first, last)) {
      const tunnel::Link& link = *each->link;
      outstanding += link.open_streams();
      last_turn = std::max(last_turn, each->last_turn);
      if (!link.takes_streams() || tried.links.contains(each)) continue;
      const std::tuple rank{is_down(*each, upstream), now - link.stats().last_byte > fresh,
                            link.open_bodies(), link.open_streams() / streams_together};
      if (chosen && chosen_rank <= rank) continue;
      chosen = each;
      chosen_rank = rank;
    }
    if (!chosen) continue;
    const std::tuple rank{std::get<0>(chosen_rank), std::get<1>(chosen_rank), outstanding, last_turn};
    if (best && best_rank <= rank) continue;
    best = std::move(chosen);
    best_rank = rank;
  }
  return best;
}

}  // namespace rockdove::server
