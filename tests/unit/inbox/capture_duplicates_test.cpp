#include "inbox/capture.hpp"

#include "unit/inbox/capture_scene.hpp"

namespace rockdove::inbox {
namespace {

using CaptureDuplicatesTest = CaptureTest;

TEST_F(CaptureDuplicatesTest, a_duplicate_of_an_ended_event_gets_the_answer_that_ended_it) {
  for (const int each : {201, 409}) {
    status = each;
    const std::string id = std::to_string(each), expected = id + " own";
    EXPECT_EQ(send(post("x", id), route(Mode::automatic)), expected);
    ASSERT_TRUE(run_until(io, [&] { return store.claimed_count() == 0; }));
    status = 200;
    EXPECT_EQ(send(post("y", id), route(Mode::automatic)), expected);
  }
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(capture->counters().duplicates, 2U);
  EXPECT_EQ(capture->counters().stored, 2U);
}

TEST_F(CaptureDuplicatesTest, a_duplicate_on_an_inbox_route_gets_the_ack) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(send(post("x", "1"), route(Mode::inbox)), "202 kept");
    EXPECT_TRUE(wait_for(State::done));
  }
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(CaptureDuplicatesTest, a_duplicate_of_an_event_that_was_given_up_gets_the_ack) {
  status = 503;
  EXPECT_EQ(send(post("x", "1"), route(Mode::automatic)), "202 kept");
  Settlement settlement;
  settlement.id = only_id();
  settlement.verdict = Settlement::Verdict::dead;
  store.settle_later(settlement);
  ASSERT_EQ(state(), State::dead);
  EXPECT_EQ(send(post("x", "1"), route(Mode::automatic)), "202 kept");
}

TEST_F(CaptureDuplicatesTest, a_duplicate_of_a_long_answer_gets_the_ack) {
  start({}, 1024 * 1024);
  body.assign(answer_bytes_max + 1, 'x');
  EXPECT_EQ(send(post("x", "1"), route(Mode::automatic)).size(), body.size() + 4);
  ASSERT_TRUE(wait_for(State::done));
  EXPECT_EQ(send(post("x", "1"), route(Mode::automatic)), "202 kept");
}

TEST_F(CaptureDuplicatesTest, duplicates_of_an_event_under_way_wait_for_it) {
  gate_open = false;
  std::string first, second, late;
  send_beside(post("x", "1"), route(Mode::automatic), first);
  ASSERT_TRUE(run_until(io, [&] { return seen.size() == 1; }));
  send_beside(post("x", "1"), route(Mode::automatic), second);
  send_beside(post("x", "1"), route(Mode::automatic, 40ms), late);
  EXPECT_TRUE(run_until(io, [&] { return !late.empty(); }));
  EXPECT_EQ(late, "202 kept");
  EXPECT_EQ(first + second, "");
  gate_open = true;
  EXPECT_TRUE(run_until(io, [&] { return !first.empty() && !second.empty(); }));
  EXPECT_EQ(first + "|" + second, "200 own|200 own");
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(CaptureDuplicatesTest, duplicates_that_wait_share_the_answers_body) {
  gate_open = false;
  std::vector<http::Response> answers;
  const auto keep = [&](Result<http::Response> answer) { answers.push_back(std::move(*answer)); };
  for (int i = 0; i < 3; ++i) group.spawn(hand_over(post("x", "1"), route(Mode::automatic), keep));
  ASSERT_TRUE(run_until(io, [&] { return seen.size() == 1; }));
  test::run_for(io, 5ms);
  gate_open = true;
  ASSERT_TRUE(run_until(io, [&] { return answers.size() == 3; }));
  std::size_t copies = 0;
  for (http::Response& each : answers) {
    copies += !each.content.empty();
    EXPECT_EQ(each.fields.get("content-length"), "3");
    EXPECT_EQ(each.fields.get("x-own"), "1");
    ASSERT_TRUE(run(io, http::read_all(each, 100)));
    EXPECT_EQ(each.content, "own");
  }
  EXPECT_EQ(copies, 0U);
}

TEST_F(CaptureDuplicatesTest, a_duplicate_that_comes_while_the_end_is_being_committed_gets_the_answer_too) {
  test::run_for(io, 1ms);  // the deliverer has begun: it need not give the event back first
  store.hold_settlements = true;
  EXPECT_EQ(send(post("x", "1"), route(Mode::automatic)), "200 own");
  std::string second;
  send_beside(post("x", "1"), route(Mode::automatic, 4s), second);
  test::run_for(io, 5ms);
  EXPECT_EQ(state(), State::waiting);
  EXPECT_EQ(second, "");
  store.hold_settlements = false;
  EXPECT_TRUE(run_until(
      io, [&] { return !second.empty(); }, 2s));
  EXPECT_EQ(second, "200 own");
  EXPECT_EQ(seen.size(), 1U);
}

}  // namespace
}  // namespace rockdove::inbox
