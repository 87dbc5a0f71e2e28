#include "egress/policy.hpp"

#include <algorithm>

namespace rockdove::egress {
namespace {

bool allows(const Rule& rule, const Wanted& wanted) {
  const bool is_named = !wanted.destination.empty() &&
                        std::ranges::find(rule.destinations, wanted.destination) != rule.destinations.end();
  if (is_named || wanted.by_name_only) return is_named;
  return std::ranges::any_of(rule.hosts,
                             [&](const HostPattern& each) { return each.matches(wanted.address); });
}

}  // namespace

Result<std::size_t> Policy::judge(std::string_view tunnel, const Wanted& wanted) const {
  for (std::size_t index = 0; index < rules_.size(); ++index) {
    const Rule& rule = rules_[index];
    if ((rule.tunnel == "*" || rule.tunnel == tunnel) && allows(rule, wanted)) return index;
  }
  return Error::destination_denied;
}

}  // namespace rockdove::egress
