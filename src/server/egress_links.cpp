#include "server/egress_links.hpp"

#include "net/log.hpp"

namespace rockdove::server {

std::shared_ptr<AgentLink> EgressLinks::add(AgentLink link) {
  auto added = std::make_shared<AgentLink>(std::move(link));
  const auto replaced = take_replaced(links_, added->hello);
  links_.push_back(added);
  for (const auto& old : replaced) old->link->close("replaced");
  return added;
}

void EgressLinks::remove(const std::shared_ptr<AgentLink>& link) {
  std::erase(links_, link);
}

void EgressLinks::revoke(const std::function<bool(const std::string& token_id)>& is_valid) {
  for (const auto& each : std::vector(links_)) {
    if (is_valid(each->token_id)) continue;
    log::info("egress", "{}: agent {} is cut off, its token {} was revoked", each->hello.tunnel,
              each->hello.agent, each->token_id);
    each->link->abort();
  }
}

void EgressLinks::drain() {
  for (const auto& each : links_) each->link->drain("draining");
}

void EgressLinks::abort_all() {
  for (const auto& each : std::vector(links_)) each->link->abort();
}

}  // namespace rockdove::server
