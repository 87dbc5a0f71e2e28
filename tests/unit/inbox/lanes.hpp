// What the tests of lanes have in common.
#pragma once

#include "inbox/lane.hpp"
#include "unit/inbox/deliveries.hpp"

#include <boost/json/serialize.hpp>

#include <string>
#include <vector>

namespace rockdove::inbox {

class LaneTest : public SomeDeliveries {
 protected:
  using Targets = std::vector<std::string>;

  /// Fails often enough to open the breaker; every failed event is due at once again.
  void open_breaker() {
    route().retry.first = 0ms;
    upstream_.script.assign(5, Error::upstream_refused);
    start();
    append(new_event("/first"));
    wake();
    ASSERT_TRUE(until_calls(5));
    settle_down();
    ASSERT_EQ(upstream_.seen.size(), 5U);
  }
  void hope(const std::string& tunnel = "office") {
    test::on_loop(io_, [&] { deliverer_->hope(tunnel); });
  }
  void pause(const std::string& reason) { EXPECT_TRUE(test::run(io_, deliverer_->pause("r", reason))); }
  std::string json() const { return boost::json::serialize(deliverer_->to_json()); }
};

}  // namespace rockdove::inbox
