#include "feishu-bot/messages.hpp"

#include "feishu-bot/json.hpp"

#include <gtest/gtest.h>

namespace rockdove::feishu_bot {
namespace {

constexpr std::string_view at_bot = R"([{"key":"@_user_1","id":{"open_id":"ou_b"},"name":"bot"}])";

std::string event(std::string_view chat, std::string_view text, std::string_view mentions = "[]",
                  std::string_view sender = "user", std::string_view type = "text") {
  return R"({"event":{"sender":{"sender_type":")" + std::string(sender) +
         R"("},"message":{"message_id":"om_1","chat_id":"oc_1","chat_type":")" + std::string(chat) +
         R"(","message_type":")" + std::string(type) + R"(","content":"{\"text\":\")" + std::string(text) +
         R"(\"}","mentions":)" + std::string(mentions) + "}}}";
}

std::string outcome(std::string_view text) {
  const auto ask = read_message(*parse_json(text));
  return ask ? ask->chat_id + " " + ask->message_id + " '" + ask->text + "'" : "nothing";
}

TEST(Messages, who_speaks_to_the_bot_is_understood) {
  EXPECT_EQ(outcome(event("p2p", "店铺")), "oc_1 om_1 '店铺'");
  EXPECT_EQ(outcome(event("p2p", " \\\\n　订单 3　")), "oc_1 om_1 '订单 3'");
  EXPECT_EQ(outcome(event("group", "@_user_1 帮助", at_bot)), "oc_1 om_1 '帮助'");
  EXPECT_EQ(outcome(event("p2p", "", "[]", "user", "image")), "oc_1 om_1 ''");
  EXPECT_EQ(outcome(event("p2p", "店铺", "[]", "")), "oc_1 om_1 '店铺'");
}

TEST(Messages, what_is_not_for_the_bot_is_left_alone) {
  EXPECT_EQ(outcome(event("group", "店铺")), "nothing");
  EXPECT_EQ(outcome(event("group", "店铺", R"([{"mentioned_type":"user"}])")), "nothing");
  EXPECT_EQ(outcome(event("group", "店铺", R"([1,"x"])")), "nothing");
  EXPECT_EQ(outcome(event("p2p", "店铺", "[]", "app")), "nothing");
  EXPECT_EQ(outcome(event("", "店铺")), "nothing");
}

TEST(Messages, events_of_other_shapes_are_nothing) {
  for (const char* text : {"{}", "[]", "null", "7", R"({"event":7})", R"({"event":{"message":[]}})",
                           R"({"event":{"message":{"chat_id":"oc","message_id":"../x","chat_type":"p2p"}}})",
                           R"({"event":{"message":{"chat_id":"","message_id":"om","chat_type":"p2p"}}})"}) {
    EXPECT_EQ(outcome(text), "nothing") << text;
    EXPECT_FALSE(read_card_action(*parse_json(text))) << text;
  }
  const std::string longer(129, 'x');
  EXPECT_EQ(
      outcome(R"({"event":{"message":{"chat_id":"oc","message_id":")" + longer + R"(","chat_type":"p2p"}}})"),
      "nothing");
}

TEST(Messages, mentions_go_and_other_words_stay) {
  EXPECT_EQ(without_mentions("@_user_1 店铺"), "店铺");
  EXPECT_EQ(without_mentions("@_user_12@_all订单@_user_3 7 "), "订单 7");
  EXPECT_EQ(without_mentions("@_user_"), "");
  EXPECT_EQ(without_mentions("a@b.c @ _user_1"), "a@b.c @ _user_1");
}

TEST(Messages, buttons_of_our_cards_ask_for_their_command) {
  const auto now =
      read_card_action(*parse_json(R"({"schema":"2.0","event":{"action":{"value":{"command":"订单 7"}},)"
                                   R"("context":{"open_message_id":"om_2","open_chat_id":"oc_2"}}})"));
  ASSERT_TRUE(now);
  EXPECT_EQ(now->chat_id + " " + now->message_id + " " + now->text, "oc_2 om_2 订单 7");
  EXPECT_EQ(now->from, Ask::From::button);
  const auto old =
      read_card_action(*parse_json(R"({"open_message_id":"om_3","action":{"value":{"command":"店铺"}}})"));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->chat_id + " " + old->message_id + " " + old->text, " om_3 店铺");
  EXPECT_FALSE(read_card_action(*parse_json(R"({"open_message_id":"om_3","action":{"value":{"key":"x"}}})")));
}

}  // namespace
}  // namespace rockdove::feishu_bot
