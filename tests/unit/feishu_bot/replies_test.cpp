#include "feishu-bot/replies.hpp"

#include "unit/feishu_bot/apis.hpp"

#include <gtest/gtest.h>

namespace rockdove::feishu_bot {
namespace {

using std::chrono::milliseconds;

struct RepliesTest : testing::Test {
  net::IoContext io;
  FakeApi feishu{[](const FakeApi::Seen& request) { return feishu_answer(request); }};
  FeishuApi api{io.get_executor(), feishu.json, {"a", "s"}};
  std::unique_ptr<Replies> replies;

  void make(Replies::Options options) {
    replies = std::make_unique<Replies>(io.get_executor(), api, options);
  }
  ~RepliesTest() override {
    if (replies) test::run(io, replies->cancel());
  }
  bool send(std::string chat, std::string message) {
    return replies->send({std::move(chat), std::move(message), "u", {"text", "{}"}}).has_value();
  }
  /// The messages replied to, in order.
  std::string replied() const {
    std::string list;
    for (const auto& each : feishu.requests)
      if (each.target.ends_with("/reply"))
        list += each.target.substr(std::string_view("/base/open-apis/im/v1/messages/").size(), 1);
    return list;
  }
  static Replies::Options quick() {
    Replies::Options options;
    options.window = milliseconds(300);
    options.backoff = {milliseconds(1), milliseconds(2), milliseconds(2), milliseconds(1000)};
    return options;
  }
};

TEST_F(RepliesTest, a_chat_gets_its_replies_in_order_and_not_too_many_at_once) {
  auto options = quick();
  options.per_window = 3;
  make(options);
  for (const char* id : {"a", "b", "c", "d", "e"}) EXPECT_TRUE(send("one", id));
  EXPECT_TRUE(send("two", "f"));
  const auto began = net::Clock::now();
  test::run_until(io, [&] { return replied().size() >= 4; });
  EXPECT_EQ(replied().find('d'), std::string::npos);
  test::run_until(io, [&] { return replies->counters().sent == 6; });
  EXPECT_GE(net::Clock::now() - began, milliseconds(290));
  std::string one = replied();
  std::erase(one, 'f');
  EXPECT_EQ(one, "abcde");
}

TEST_F(RepliesTest, a_reply_within_the_limit_waits_for_nothing) {
  auto options = quick();
  options.window = std::chrono::seconds(60);
  make(options);
  for (const char* id : {"a", "b", "c"}) {
    const auto before = replies->counters().sent;
    EXPECT_TRUE(send("one", id));
    EXPECT_TRUE(test::run_until(io, [&] { return replies->counters().sent > before; })) << id;
  }
}

TEST_F(RepliesTest, many_chats_are_not_remembered_for_ever_and_all_are_answered) {
  auto options = quick();
  options.window = milliseconds(0);
  make(options);
  for (int i = 0; i < 2000; ++i) {
    EXPECT_TRUE(send("chat " + std::to_string(i), "a"));
    if (i % 100 == 99) test::run(io, replies->drain(std::chrono::seconds(5)));
  }
  EXPECT_EQ(replies->counters().sent, 2000U);
}

TEST_F(RepliesTest, what_blocked_the_way_is_tried_again_and_a_refusal_is_not) {
  make(quick());
  int failures = 3;
  std::string refused;
  feishu.answer = [&](const FakeApi::Seen& request) -> test::Answer {
    if (request.target.ends_with("/internal")) return feishu_answer(request);
    if (!refused.empty()) return json_answer(R"({"code":230001,"msg":"no"})", 400);
    if (failures-- > 0) return Error::upstream_refused;
    return feishu_answer(request);
  };
  EXPECT_TRUE(send("one", "a"));
  test::run_until(io, [&] { return replies->counters().sent == 1; });
  EXPECT_EQ(replied(), "aaaa");
  refused = "b";
  EXPECT_TRUE(send("one", "b"));
  test::run_until(io, [&] { return replies->counters().failed == 1; });
  EXPECT_EQ(replied(), "aaaab");
}

TEST_F(RepliesTest, after_the_last_try_the_next_reply_has_its_turn) {
  auto options = quick();
  options.tries_max = 2;
  make(options);
  feishu.answer = [](const FakeApi::Seen& request) -> test::Answer {
    if (request.target.ends_with("a/reply")) return Error::upstream_timeout;
    return feishu_answer(request);
  };
  EXPECT_TRUE(send("one", "a"));
  EXPECT_TRUE(send("one", "b"));
  test::run_until(io, [&] { return replies->counters().sent == 1; });
  EXPECT_EQ(replied(), "aab");
  EXPECT_EQ(replies->counters().failed, 1U);
}

TEST_F(RepliesTest, queues_are_bounded) {
  auto options = quick();
  options.chat_queue_max = 2;
  options.queue_max = 3;
  make(options);
  EXPECT_TRUE(send("one", "a"));
  EXPECT_TRUE(send("one", "b"));
  EXPECT_FALSE(send("one", "c"));
  EXPECT_TRUE(send("two", "d"));
  EXPECT_FALSE(send("three", "e"));
}

TEST_F(RepliesTest, the_end_waits_for_what_is_under_way) {
  make(quick());
  test::run(io, replies->drain(milliseconds(1)));
  EXPECT_TRUE(send("one", "a"));
  test::run(io, replies->drain(std::chrono::seconds(5)));
  EXPECT_EQ(replies->counters().sent, 1U);
  feishu.answer = [](const FakeApi::Seen&) -> test::Answer { return Error::upstream_refused; };
  EXPECT_TRUE(send("one", "b"));
  test::run(io, replies->drain(milliseconds(1)));
}

}  // namespace
}  // namespace rockdove::feishu_bot
