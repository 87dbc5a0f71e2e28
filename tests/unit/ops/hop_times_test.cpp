#include "ops/hop_times.hpp"

#include <gtest/gtest.h>

namespace rockdove::ops {
namespace {

using namespace std::chrono_literals;

TEST(HopTimes, what_the_agent_took_and_the_rest_of_the_way_add_up) {
  HopTimes times;
  http::Record record;
  const auto now = net::Clock::now();
  record.started = now - 35ms;
  times.add(&record, now - 30ms, 20ms);
  EXPECT_EQ(record.edge, 5ms);
  EXPECT_EQ(record.upstream, 20ms);
  EXPECT_GE(record.link, 10ms);
  EXPECT_EQ(times.edge.sum(), 5000U);
  EXPECT_EQ(times.upstream.sum(), 20000U);
  EXPECT_EQ(times.link.total(), 1U);
  EXPECT_GE(times.link.sum(), 10000U);
}

TEST(HopTimes, an_agent_that_claims_too_much_is_not_believed) {
  HopTimes times;
  http::Record record;
  times.add(&record, net::Clock::now() - 10ms, 1h);
  EXPECT_EQ(record.link, 0ms);
  EXPECT_GE(record.upstream, 10ms);
  EXPECT_LT(record.upstream, 1min);
}

TEST(HopTimes, an_agent_that_says_nothing_counts_for_neither) {
  HopTimes times;
  http::Record record;
  record.started = net::Clock::now() - 10ms;
  times.add(&record, record.started + 1ms, 0ms);
  EXPECT_EQ(times.link.total() + times.upstream.total(), 0U);
  EXPECT_EQ(times.edge.total(), 1U);
}

TEST(HopTimes, a_delivery_spends_nothing_at_the_edge) {
  HopTimes times;
  http::Record record;
  times.add(&record, net::Clock::now() - 10ms, 5ms);
  times.add(nullptr, net::Clock::now() - 10ms, 5ms);
  EXPECT_EQ(times.edge.total(), 0U);
  EXPECT_EQ(times.upstream.total(), 2U);
}

}  // namespace
}  // namespace rockdove::ops
