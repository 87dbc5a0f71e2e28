#include "feishu-bot/bot.hpp"

#include "config/provider_config.hpp"
#include "net/crypto.hpp"
#include "support/provider_vectors.hpp"
#include "support/scratch_directory.hpp"
#include "unit/feishu_bot/apis.hpp"

#include <gtest/gtest.h>

namespace rockdove::feishu_bot {
namespace {

constexpr std::string_view webhook = "/feishu/webhook";

std::string message_event(const std::string& event_id, const std::string& message_id) {
  return R"({"schema":"2.0","header":{"event_id":")" + event_id +
         R"(","event_type":"im.message.receive_v1","token":"vt"},"event":{"message":{"message_id":")" +
         message_id +
         R"(","chat_id":"oc_1","chat_type":"p2p","message_type":"text","content":"{\"text\":\"店铺\"}"}}})";
}

struct BotTest : testing::Test {
  net::IoContext io;
  FakeApi feishu{[](const FakeApi::Seen& request) { return feishu_answer(request); }};
  FakeApi lingxing{[](const FakeApi::Seen&) { return json_answer(R"({"code":0,"data":[]})"); }};
  FeishuApi feishu_api{io.get_executor(), feishu.json, {"a", "s"}};
  LingxingApi lingxing_api{lingxing.json, {}};
  Commands commands{lingxing_api, [] { return Commands::WallTime(); }};
  Replies replies{io.get_executor(), feishu_api, {}};
  test::ScratchDirectory directory;
  std::optional<Journal> journal;
  std::unique_ptr<Bot> bot;

  void make(Bot::Options options, const test::Pairs& secrets) {
    options.scheme = *config::builtin_providers().find("feishu");
    for (const auto& [name, value] : secrets) options.secrets.add(name, value);
    if (!journal) open_journal({});
    bot = std::make_unique<Bot>(io.get_executor(), commands, replies, *journal, std::move(options));
  }
  void open_journal(Journal::Options options) {
    options.path = directory.path() / "journal";
    journal.reset();  // it is one process's at a time
    journal.emplace(options);
  }
  /// The process dies, and the next one starts.
  void start_again() {
    test::run(io, bot->cancel());
    test::run(io, replies.cancel());
    open_journal({});
    make({}, {{"verification_token", "vt"}});
    test::on_loop(io, [this] { bot->resume(); });
  }
  void SetUp() override { make({}, {{"verification_token", "vt"}}); }
  ~BotTest() override {
    test::run(io, bot->cancel());
    test::run(io, replies.cancel());
  }
  std::string post(std::string body, const test::Pairs& fields = {}) {
    auto request = test::request_of("POST", std::string(webhook), std::move(body));
    for (const auto& [name, value] : fields) request.fields.add(name, value);
    auto answer = test::run(io, bot->handle(std::move(request)));
    if (!answer) return std::string(error_name(answer.error()));
    return std::to_string(answer->status) + (answer->status == 200 ? " " + answer->content : "");
  }
  std::string last_uuid() const { return text_at(*parse_json(feishu.requests.back().content), {"uuid"}); }
  void settle() {
    test::run(io, bot->drain(std::chrono::seconds(5)));
    test::run(io, replies.drain(std::chrono::seconds(5)));
  }
};

TEST_F(BotTest, messages_are_acknowledged_at_once_and_answered_once) {
  EXPECT_EQ(post(message_event("e1", "om_1")), "200 {}");
  EXPECT_EQ(replies.counters().sent, 0U);
  EXPECT_EQ(post(message_event("e1", "om_1")), "200 {}");
  EXPECT_EQ(post(message_event("e2", "om_1")), "200 {}");
  settle();
  EXPECT_EQ(lingxing.requests.size(), 1U);
  EXPECT_EQ(replies.counters().sent, 1U);
  EXPECT_EQ(last_uuid().size(), 41U);  // Feishu takes 50 at most
}

TEST_F(BotTest, the_same_event_has_the_same_uuid_in_the_next_process) {
  EXPECT_EQ(post(message_event("e1", "om_1")), "200 {}");
  settle();
  const auto first = last_uuid();
  SetUp();
  EXPECT_EQ(post(message_event("e1", "om_1")), "200 {}");
  settle();
  EXPECT_EQ(last_uuid(), first);
  EXPECT_EQ(post(message_event("e3", "om_3")), "200 {}");
  settle();
  EXPECT_NE(last_uuid(), first);
}

TEST_F(BotTest, what_lay_in_the_inbox_for_days_is_taken) {
  make({}, {{"encrypt_key", "ekey"}});
  const std::string body = message_event("e1", "om_1");
  const std::string signature = net::hex(net::sha256("1700000000nekey" + body));
  EXPECT_EQ(post(body, {{"X-Lark-Request-Timestamp", "1700000000"},
                        {"X-Lark-Request-Nonce", "n"},
                        {"X-Lark-Signature", signature}}),
            "200 {}");
  settle();
}

TEST_F(BotTest, challenges_need_the_token_and_nothing_else) {
  const auto challenge = [](const std::string& token) {
    return R"({"challenge":"c\"1","type":"url_verification","token":")" + token + "\"}";
  };
  EXPECT_EQ(post(challenge("vt")), R"(200 {"challenge":"c\"1"})");
  EXPECT_EQ(post(challenge("no")), "401");
  Bot::Options options;
  options.missing = {"app_id"};
  make(std::move(options), {});
  EXPECT_EQ(post(challenge("any")), R"(200 {"challenge":"c\"1"})");
  EXPECT_EQ(post(message_event("e1", "om_1")), "503");
}

TEST_F(BotTest, published_requests_are_taken_with_their_secret_and_refused_with_another) {
  for (const auto& each : test::provider_vectors()) {
    if (each.provider != "feishu") continue;
    make({}, each.secrets);
    EXPECT_EQ(post(each.body, each.fields), "200 {}") << each.name;
    EXPECT_EQ(post(each.body + " ", each.fields), each.signs_body ? "401" : "200 {}") << each.name;
    make({}, {{each.secrets.front().first, "another"}});
    EXPECT_EQ(post(each.body, each.fields), "401") << each.name;
  }
}

TEST_F(BotTest, buttons_get_a_toast_and_then_their_answer) {
  const std::string press =
      R"({"schema":"2.0","header":{"event_id":"e9","event_type":"card.action.trigger","token":"vt"},)"
      R"("event":{"action":{"value":{"command":"店铺"}},)"
      R"("context":{"open_message_id":"om_9","open_chat_id":"oc_1"}}})";
  EXPECT_EQ(post(press), R"(200 {"toast":{"type":"info","content":"正在查询店铺…"}})");
  EXPECT_EQ(post(press), R"(200 {"toast":{"type":"info","content":"正在查询店铺…"}})");
  settle();
  EXPECT_EQ(replies.counters().sent, 1U);
}

TEST_F(BotTest, more_work_than_it_can_hold_is_left_to_feishu_for_later) {
  Bot::Options options;
  options.works_max = 1;
  make(std::move(options), {{"verification_token", "vt"}});
  net::Event gate(io.get_executor());
  lingxing.handler.function = [&gate](http::Request) -> net::Awaitable<test::Answer> {
    co_await gate.wait();
    co_return json_answer(R"({"code":0,"data":[]})");
  };
  EXPECT_EQ(post(message_event("e1", "om_1")), "200 {}");
  EXPECT_EQ(post(message_event("e2", "om_2")), "503");
  test::run_until(io, [&] { return gate.has_waiter(); });
  gate.notify();
  settle();
  lingxing.handler.function = [](http::Request) -> net::Awaitable<test::Answer> {
    co_return json_answer(R"({"code":0,"data":[]})");
  };
  EXPECT_EQ(post(message_event("e2", "om_2")), "200 {}");
  settle();
  EXPECT_EQ(replies.counters().sent, 2U);
}

TEST_F(BotTest, what_one_process_has_acknowledged_the_next_one_answers) {
  const auto answer = lingxing.handler.function;
  net::Event never(io.get_executor());
  lingxing.handler.function = [&never](http::Request) -> net::Awaitable<test::Answer> {
    co_await never.wait();
    co_return json_answer("{}");
  };
  EXPECT_EQ(post(message_event("e1", "om_1")), "200 {}");
  test::run_until(io, [&] { return never.has_waiter(); });
  lingxing.handler.function = answer;
  start_again();
  EXPECT_EQ(post(message_event("e1", "om_1")), "200 {}");  // Feishu need not, but may
  settle();
  EXPECT_EQ(replies.counters().sent, 1U);
  EXPECT_EQ(journal->open(), 0U);
  start_again();
  settle();
  EXPECT_EQ(replies.counters().sent, 1U);
}

TEST_F(BotTest, what_cannot_be_noted_is_not_acknowledged) {
  Journal::Options options;
  options.entries_max = 0;
  open_journal(options);
  SetUp();
  EXPECT_EQ(post(message_event("e1", "om_1")), "503");
  const std::string press =
      R"({"schema":"2.0","header":{"event_id":"e9","event_type":"card.action.trigger","token":"vt"},)"
      R"("event":{"action":{"value":{"command":"店铺"}},)"
      R"("context":{"open_message_id":"om_9","open_chat_id":"oc_1"}}})";
  EXPECT_NE(post(press).find("warning"), std::string::npos);
  open_journal({});
  SetUp();
  EXPECT_EQ(post(message_event("e1", "om_1")), "200 {}");
  settle();
  EXPECT_EQ(replies.counters().sent, 1U);
}

TEST_F(BotTest, pages_are_where_they_are) {
  const auto ask = [this](std::string method, std::string target) {
    auto answer = test::run(io, bot->handle(test::request_of(std::move(method), std::move(target))));
    return answer ? std::to_string(answer->status) : std::string(error_name(answer.error()));
  };
  EXPECT_EQ(ask("GET", "/health"), "200");
  EXPECT_EQ(ask("HEAD", "/health?x"), "200");
  EXPECT_EQ(ask("POST", "/health"), "not_found");
  EXPECT_EQ(ask("GET", "/feishu/webhook"), "405");
  EXPECT_EQ(ask("POST", "/feishu/webhook/"), "not_found");
}

}  // namespace
}  // namespace rockdove::feishu_bot
