// Which events were here already: Feishu delivers at least once, and again hours later.
#pragma once

#include "net/asio.hpp"

#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

namespace rockdove::feishu_bot {

/// Remembers ids, the latest `count_max` of them and none longer than `keep`. In memory: after a restart the
/// `uuid` of a reply still keeps Feishu from sending it twice.
class Seen {
 public:
  struct Options {
    std::size_t count_max = 100'000;              ///< about 15 MB
    net::Duration keep = std::chrono::hours(25);  ///< Feishu's last retry comes after 7 h, an inbox's later
  };

  explicit Seen(Options options) : options_(options) {}

  /// True if `id` is new; it is not from now on.
  bool add(const std::string& id, net::Clock::time_point now) {
    while (!order_.empty() &&
           (order_.size() >= options_.count_max || order_.front()->second + options_.keep <= now))
      forget_oldest();
    const auto [place, is_new] = known_.try_emplace(id, now);
    if (is_new) order_.push_back(&*place);
    return is_new;
  }
  bool has(const std::string& id, net::Clock::time_point now) const {
    const auto found = known_.find(id);
    return found != known_.end() && found->second + options_.keep > now;
  }
  std::size_t size() const { return order_.size(); }

 private:
  void forget_oldest() {
    const std::string id = order_.front()->first;
    order_.pop_front();
    known_.erase(id);
  }

  const Options options_;
  std::unordered_map<std::string, net::Clock::time_point> known_;
  std::deque<const std::pair<const std::string, net::Clock::time_point>*> order_;  // oldest first
};

}  // namespace rockdove::feishu_bot
