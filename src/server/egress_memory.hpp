// How much of calls' bodies may wait at the server: an own share for each tunnel.
#pragma once

#include "tunnel/h2.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace rockdove::server {

/// Budgets for the egress links of each tunnel, apart from that of webhooks: calls that wait for their turn
/// stop neither those nor another tunnel's calls. All shares together are a quarter of `link_memory`; each is
/// an equal part, but no less than 1 MiB. Loop thread only; must outlive the links.
class EgressMemory {
 public:
  explicit EgressMemory(std::size_t link_memory) { set_link_memory(link_memory); }

  void set_link_memory(std::size_t link_memory);
  /// A link of `tunnel` begins: `options` get the tunnel's budget, and windows that fit into it.
  void join(const std::string& tunnel, tunnel::H2::Options& options);
  /// That link has ended.
  void leave(const std::string& tunnel);

  /// Bytes that calls hold now, and may.
  std::size_t used() const;
  std::size_t limit() const { return total_; }

 private:
  struct Share {
    tunnel::Budget budget;
    std::size_t links = 0;
  };
  void divide();

  std::size_t total_ = 0;
  // Never forgotten: a body that is still read holds on to its link, and that to its budget. There are no
  // more tunnels than an operator has made tokens for.
  std::map<std::string, Share, std::less<>> shares_;
};

}  // namespace rockdove::server
