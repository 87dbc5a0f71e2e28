// Windows, credit and the memory budget of sessions.
#include "unit/tunnel/h2_pair.hpp"

namespace rockdove::tunnel {
namespace {

TEST(h2_flow, lets_a_sender_go_on_only_as_the_reader_consumes) {
  H2::Options small;
  small.stream_window = 1000;
  Pair pair({}, small);
  const auto ours = pair.open(get_head, false);
  const std::string body(2500, 'b');
  pair.opener.send(*ours, body, true);
  ASSERT_TRUE(pair.exchange());
  H2Stream& theirs = *pair.opened.front();
  EXPECT_EQ(theirs.inbound.size(), 1000U);
  EXPECT_FALSE(ours->outbound_taken);
  std::string got;
  while (!theirs.remote_ended) {
    const std::size_t before = got.size();
    got += std::exchange(theirs.inbound, {});
    ASSERT_TRUE(pair.exchange());
    EXPECT_TRUE(theirs.inbound.empty()) << "credit came back before consume()";
    pair.answerer.consume(theirs, got.size() - before);
    ASSERT_TRUE(pair.exchange());
    ASSERT_LE(theirs.inbound.size(), 1000U);
    ASSERT_GT(got.size(), before);
  }
  EXPECT_EQ(got + theirs.inbound, body);
  EXPECT_TRUE(ours->outbound_taken);
}

TEST(h2_flow, one_stream_that_nobody_reads_does_not_stop_the_others) {
  H2::Options small;
  small.stream_window = 60'000;
  small.link_window = 70'000;
  Pair pair({}, small);
  const std::string body(60'000, 'b');
  std::vector<StreamPtr> ours;
  for (int i = 0; i < 4; ++i) {
    ours.push_back(pair.open(get_head, false));
    pair.opener.send(*ours.back(), body, true);
  }
  ASSERT_TRUE(pair.exchange());
  for (const auto& theirs : pair.opened) EXPECT_EQ(theirs->inbound.size(), body.size());
}

TEST(h2_flow, withholds_link_credit_while_the_budget_is_passed) {
  Budget budget{100'000};
  H2::Options options;
  options.stream_window = 70'000;
  options.link_window = 70'000;
  options.budget = &budget;
  Pair pair({}, options);
  const std::string body(60'000, 'b');
  std::vector<StreamPtr> ours;
  for (int i = 0; i < 6; ++i) {
    ours.push_back(pair.open(get_head, false));
    pair.opener.send(*ours.back(), body, true);
  }
  ASSERT_TRUE(pair.exchange());
  const std::size_t held = budget.used;
  EXPECT_GT(held, budget.limit);
  EXPECT_LE(held, budget.limit + options.link_window);
  EXPECT_LT(held, 6 * body.size());
  pair.answerer.relax();
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(budget.used, held) << "the budget is still passed";
  // Another link gives memory back: relax() is what notices.
  const std::size_t limit = std::exchange(budget.limit, SIZE_MAX);
  pair.answerer.relax();
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(budget.used, 6 * body.size());
  budget.limit = limit;
  for (const auto& theirs : pair.opened) pair.answerer.consume(*theirs, theirs->inbound.size());
  EXPECT_EQ(budget.used, 0U);
}

TEST(h2_flow, gives_the_budget_back_for_streams_that_are_given_up) {
  Budget budget{100'000};
  H2::Options options;
  options.budget = &budget;
  {
    Pair pair({}, options);
    const std::string body(10'000, 'b');
    const auto ours = pair.open(get_head, false);
    pair.opener.send(*ours, body, false);
    ASSERT_TRUE(pair.exchange());
    EXPECT_EQ(budget.used, body.size());
    pair.answerer.reset(*pair.opened.front(), H2::cancel);
    EXPECT_EQ(budget.used, 0U);
    // What was on its way when the stream was given up belongs to nobody.
    pair.opener.send(*ours, body, false);
    std::string late;
    ASSERT_TRUE(pair.opener.take(late, SIZE_MAX));
    ASSERT_TRUE(pair.answerer.feed(late));
    EXPECT_EQ(budget.used, 0U);
    ASSERT_TRUE(pair.exchange());
    EXPECT_EQ(budget.used, 0U);
    EXPECT_TRUE(ours->closed);

    const auto unread = pair.open(get_head, false);
    pair.opener.send(*unread, body, false);
    ASSERT_TRUE(pair.exchange());
    EXPECT_EQ(budget.used, body.size());
  }
  EXPECT_EQ(budget.used, 0U) << "a session that ends holds nothing";
}

TEST(h2_flow, takes_about_as_much_as_it_is_asked_for) {
  H2::Options wide;
  wide.stream_window = wide.link_window = 1024 * 1024;
  Pair pair({}, wide);
  const auto ours = pair.open(get_head, false);
  const std::string body(500'000, 'b');
  pair.opener.send(*ours, body, true);
  std::string out;
  std::string all;
  do {
    out.clear();
    ASSERT_TRUE(pair.opener.take(out, 30'000));
    EXPECT_LE(out.size(), 30'000U + 33 * 1024);
    all += out;
  } while (!out.empty());
  ASSERT_TRUE(pair.answerer.feed(all));
  EXPECT_EQ(pair.opened.front()->inbound, body);
}

TEST(h2_flow, grows_its_windows_with_the_path) {
  H2::Options options;
  options.stream_window = 10'000;
  options.stream_window_max = 35'000;
  Pair pair({}, options);
  pair.answerer.grow_windows(5'000);
  EXPECT_EQ(pair.answerer.stream_window(), 10'000U) << "half a window a round trip is no reason";
  for (const std::uint32_t expected : {20'000U, 35'000U, 35'000U}) {
    pair.answerer.grow_windows(1'000'000);
    EXPECT_EQ(pair.answerer.stream_window(), expected);
  }
  ASSERT_TRUE(pair.exchange());
  const auto ours = pair.open(get_head, false);
  const std::string body(50'000, 'b');
  pair.opener.send(*ours, body, true);
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(pair.opened.front()->inbound.size(), 35'000U);
}

TEST(h2_flow, leaves_its_windows_alone_when_memory_is_short) {
  Budget budget{100, 60};
  H2::Options options;
  options.stream_window = 10'000;
  options.budget = &budget;
  Pair pair({}, options);
  pair.answerer.grow_windows(1'000'000);
  EXPECT_EQ(pair.answerer.stream_window(), 10'000U);
}

}  // namespace
}  // namespace rockdove::tunnel
