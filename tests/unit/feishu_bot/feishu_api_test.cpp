#include "feishu-bot/feishu_api.hpp"

#include "net/task_group.hpp"

#include "unit/feishu_bot/apis.hpp"

#include <gtest/gtest.h>

namespace rockdove::feishu_bot {
namespace {

struct FeishuApiTest : testing::Test {
  net::IoContext io;
  FakeApi feishu{[](const FakeApi::Seen& request) { return feishu_answer(request); }};
  FeishuApi api{io.get_executor(), feishu.json, {"cli_a", "hush"}};

  Outcome<void> reply() {
    const std::string id = "om_1", uuid = "u";
    const Message message{"text", R"({"text":"hi"})"};
    return test::run(io, api.reply(id, message, uuid));
  }
  std::size_t fetches() const {
    std::size_t count = 0;
    for (const auto& each : feishu.requests) count += each.target.ends_with("/internal") ? 1 : 0;
    return count;
  }
};

TEST_F(FeishuApiTest, a_reply_carries_a_token_that_is_fetched_once) {
  EXPECT_TRUE(reply());
  EXPECT_TRUE(reply());
  ASSERT_EQ(feishu.requests.size(), 3U);
  EXPECT_EQ(feishu.requests[0].target, "/base/open-apis/auth/v3/tenant_access_token/internal");
  EXPECT_EQ(feishu.requests[0].content, R"({"app_id":"cli_a","app_secret":"hush"})");
  EXPECT_EQ(feishu.requests[1].target, "/base/open-apis/im/v1/messages/om_1/reply");
  EXPECT_EQ(feishu.requests[1].authorization, "Bearer t-1");
  EXPECT_EQ(feishu.requests[1].content, R"({"msg_type":"text","content":"{\"text\":\"hi\"}","uuid":"u"})");
}

TEST_F(FeishuApiTest, a_token_at_its_end_is_fetched_anew) {
  feishu.answer = [](const FakeApi::Seen& request) { return feishu_answer(request, 0); };
  EXPECT_TRUE(reply());
  EXPECT_TRUE(reply());
  EXPECT_EQ(fetches(), 2U);
}

TEST_F(FeishuApiTest, a_refused_token_is_replaced_once) {
  bool always = false;
  feishu.answer = [this, &always](const FakeApi::Seen& request) {
    const bool refuse = !request.target.ends_with("/internal") && (always || fetches() == 1);
    return refuse ? json_answer(R"({"code":99991663,"msg":"invalid"})", 400) : feishu_answer(request);
  };
  EXPECT_TRUE(reply());
  EXPECT_EQ(fetches(), 2U);
  always = true;
  const auto refused = reply();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "99991663");
  EXPECT_EQ(fetches(), 3U);
}

TEST_F(FeishuApiTest, many_at_once_wait_for_one_fetch_also_if_it_fails) {
  net::Event gate(io.get_executor());
  feishu.handler.function = [&](http::Request request) -> net::Awaitable<test::Answer> {
    feishu.requests.push_back({request.method, request.target, "", ""});
    if (request.target.ends_with("/internal")) co_await gate.wait();
    co_return json_answer(R"({"code":10014,"msg":"app secret invalid"})");
  };
  net::TaskGroup group(io.get_executor(), net::abort_on_error);
  std::vector<std::string> codes;
  struct Caller {
    static net::Awaitable<void> call(FeishuApi* api, std::vector<std::string>* codes) {
      const std::string id = "om_1", uuid = "u";
      const Message message{"text", "{}"};
      const auto sent = co_await api->reply(id, message, uuid);
      codes->push_back(sent ? "sent" : sent.error().code);
    }
  };
  for (int i = 0; i < 5; ++i) group.spawn(Caller::call(&api, &codes));
  test::run_until(io, [&] { return gate.has_waiter(); });
  gate.notify();
  test::run(io, group.join());
  EXPECT_EQ(codes, std::vector<std::string>(5, "10014"));
  EXPECT_EQ(fetches(), 1U);
}

TEST_F(FeishuApiTest, a_limit_says_how_long_to_wait) {
  feishu.answer = [](const FakeApi::Seen& request) {
    auto answer = feishu_answer(request);
    if (request.target.ends_with("/internal")) return answer;
    answer = json_answer(R"({"code":99991400,"msg":"request trigger frequency limit"})", 429);
    answer.fields.add("x-ogw-ratelimit-reset", "7");
    return answer;
  };
  const auto limited = reply();
  ASSERT_FALSE(limited);
  EXPECT_EQ(limited.error().retry_after, std::chrono::seconds(7));
  EXPECT_TRUE(may_pass(limited.error()));
}

TEST_F(FeishuApiTest, odd_answers_are_failures) {
  for (const char* text :
       {"", "<html>", "[]", "{}", R"({"code":0})", R"({"code":0,"tenant_access_token":"a b","expire":1})",
        R"({"code":0,"tenant_access_token":"t","expire":"1"})",
        R"({"code":0,"tenant_access_token":"t\r\nX: y","expire":1})"}) {
    feishu.answer = [text](const FakeApi::Seen&) { return json_answer(text); };
    const auto outcome = reply();
    ASSERT_FALSE(outcome) << text;
    EXPECT_EQ(outcome.error().kind, Failure::Kind::unreadable) << text;
  }
  feishu.answer = [](const FakeApi::Seen&) -> test::Answer { return Error::upstream_timeout; };
  EXPECT_EQ(reply().error().kind, Failure::Kind::timed_out);
  feishu.answer = [](const FakeApi::Seen&) -> test::Answer { return Error::upstream_refused; };
  EXPECT_EQ(reply().error().kind, Failure::Kind::unreachable);
}

}  // namespace
}  // namespace rockdove::feishu_bot
