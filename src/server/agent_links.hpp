// The links of one tunnel: which of them a new one replaces, and which gets a request.
#pragma once

#include "tunnel/handshake.hpp"
#include "tunnel/link.hpp"
#include "tunnel/report.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::server {

/// A link and who is at its other end.
struct AgentLink {
  std::shared_ptr<tunnel::Link> link;
  tunnel::LinkHello hello;
  std::string token_id;
  std::string address;                            ///< of the agent's end
  std::vector<tunnel::UpstreamReport> upstreams;  ///< as last reported
  std::uint64_t last_turn = 0;                    ///< of the tunnel's requests, the last one it was given
};

/// Those of one agent stand next to each other.
using AgentLinks = std::vector<std::shared_ptr<AgentLink>>;

void add_link(AgentLinks& links, std::shared_ptr<AgentLink> link);

/// Takes out of `links` those that a new one of `hello` replaces: of the same tunnel and agent, all links of
/// an older instance, or the one of the same instance and index.
AgentLinks take_replaced(AgentLinks& links, const tunnel::LinkHello& hello);

/// Where a request has been without being seen by an upstream.
struct Tried {
  std::set<std::shared_ptr<AgentLink>> links;  ///< took no new request
  std::set<std::string, std::less<>> agents;   ///< cannot reach their upstream, on whichever link
};

/// The link for a request to `upstream` (empty: the agent's default one); null if none is left. Of the agents
/// the one with least to do, equals in turn; those whose upstream is down, or whose links were silent for
/// longer than `fresh` before `now`, come last. Of an agent's links the one with fewest bodies under way,
/// which may hold others up; messages that are whole go together, and cost both ends fewer and larger packets
/// than one by one on every link.
std::shared_ptr<AgentLink> choose_link(const AgentLinks& links, std::string_view upstream, const Tried& tried,
                                       net::Clock::time_point now, net::Duration fresh);

}  // namespace rockdove::server
