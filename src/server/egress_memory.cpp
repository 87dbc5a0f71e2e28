#include "server/egress_memory.hpp"

#include <algorithm>

namespace rockdove::server {
namespace {

constexpr std::size_t part_of_link_memory = 4;
constexpr std::size_t smallest_share = 1024 * 1024;

}  // namespace

void EgressMemory::set_link_memory(std::size_t link_memory) {
  total_ = std::max(link_memory / part_of_link_memory, smallest_share);
  divide();
}

void EgressMemory::join(const std::string& tunnel, tunnel::H2::Options& options) {
  Share& share = shares_[tunnel];
  ++share.links;
  divide();
  const auto room = static_cast<std::uint32_t>(std::min<std::size_t>(share.budget.limit, 1U << 30));
  options.budget = &share.budget;
  options.link_window = std::min(options.link_window, room);
  options.link_window_max = std::min(options.link_window_max, room);
}

void EgressMemory::leave(const std::string& tunnel) {
  --shares_.at(tunnel).links;
  divide();
}

void EgressMemory::divide() {
  const auto tunnels = std::ranges::count_if(shares_, [](const auto& each) { return each.second.links > 0; });
  const auto share = total_ / std::max<std::size_t>(static_cast<std::size_t>(tunnels), 1);
  for (auto& [name, each] : shares_) each.budget.limit = std::max(share, smallest_share);
}

std::size_t EgressMemory::used() const {
  std::size_t used = 0;
  for (const auto& [name, each] : shares_) used += each.budget.used;
  return used;
}

}  // namespace rockdove::server
