#include "inbox/keys.hpp"

#include "net/crypto.hpp"

#include <gtest/gtest.h>

#include <set>

namespace rockdove::inbox {
namespace {

using From = KeyRule::From;

std::string in_json(const std::string& pointer, std::string_view body) {
  return find_key(KeyRule{From::json, pointer}, {}, body).value_or("(none)");
}

TEST(Keys, a_pointer_finds_what_rfc_6901_says) {
  // The document of RFC 6901 section 5, with texts and numbers at its places.
  const std::string_view document =
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,)"
      R"("i\\j":5,"k\"l":6," ":7,"m~n":8,"o":{"p":[[9,{"q":"r"}]]},"\u98de":10})";
  const std::pair<std::string, std::string> cases[] = {
      {"", "(none)"},       {"/foo", "(none)"},   {"/foo/0", "bar"},      {"/foo/1", "baz"},
      {"/foo/2", "(none)"}, {"/foo/-", "(none)"}, {"/foo/00", "(none)"},  {"/foo/+1", "(none)"},
      {"/", "0"},           {"/a~1b", "1"},       {"/c%d", "2"},          {"/e^f", "3"},
      {"/g|h", "4"},        {"/i\\j", "5"},       {"/k\"l", "6"},         {"/ ", "7"},
      {"/m~0n", "8"},       {"/o/p/0/0", "9"},    {"/o/p/0/1/q", "r"},    {"/o/p/0/1", "(none)"},
      {"/o/p/1", "(none)"}, {"/飞", "10"},        {"/foo/0/0", "(none)"}, {"/a~1b/", "(none)"},
      {"/p", "(none)"},     {"/q", "(none)"},     {"foo", "(none)"},      {"/m~2n", "(none)"},
  };
  for (const auto& [pointer, key] : cases) EXPECT_EQ(in_json(pointer, document), key) << pointer;
}

TEST(Keys, a_place_holds_a_text_or_a_number_or_nothing) {
  const std::pair<std::string, std::string> cases[] = {
      {R"("x")", "x"},
      {R"("飞\n\u0041\ud83d\ude00")", "飞\nA😀"},
      {R"("")", "(none)"},
      {"null", "(none)"},
      {"true", "(none)"},
      {"false", "(none)"},
      {"{}", "(none)"},
      {"[1]", "(none)"},
      {"0", "0"},
      {"-17", "-17"},
      {"7345678901234567890", "7345678901234567890"},
      {"18446744073709551615", "18446744073709551615"},
      // These two are one number to whoever keeps numbers in 64 bits.
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {"123456789012345678901234567891", "123456789012345678901234567891"},
      {"1.50", "1.50"},
      {"1e3", "1e3"},
  };
  for (const auto& [value, key] : cases) {
    EXPECT_EQ(in_json("/id", "{\"id\":" + value + "}"), key) << value;
    EXPECT_EQ(in_json("/1", "[null, " + value + " ,2]"), key) << value;
    EXPECT_EQ(in_json("", value), key) << value;
  }
}

TEST(Keys, what_is_not_json_has_no_key) {
  for (const std::string_view body : std::initializer_list<std::string_view>{
           "", " ", "id=1", "{\"id\":1", "{\"id\":1}}", "{\"id\":1} x", "{'id':1}", "{\"id\":01}",
           "{\"id\":1,}", "{\"id\":1}//", "{\"id\":\"\x80\"}", "{\"id\":1,\"x\":\"\n\"}", "{\"id\":NaN}",
           std::string_view("{\"id\":1}\0", 9)})
    EXPECT_EQ(in_json("/id", body), "(none)") << body;
  EXPECT_EQ(in_json("/id", " {\"id\":1}\r\n"), "1");
}

TEST(Keys, of_members_of_one_name_the_last_counts) {
  EXPECT_EQ(in_json("/id", R"({"id":1,"id":2})"), "2");
  EXPECT_EQ(in_json("/id", R"({"id":1,"id":null})"), "(none)");
  EXPECT_EQ(in_json("/a/b", R"({"a":{"b":1},"a":{"b":2}})"), "2");
  EXPECT_EQ(in_json("/a/b", R"({"a":{"b":1},"a":3})"), "(none)");
  EXPECT_EQ(in_json("/a/b", R"({"a":{"b":1},"x":{"b":2}})"), "1");
  EXPECT_EQ(in_json("/a/b", R"({"x":{"a":{"b":1}},"a":[{"b":2}]})"), "(none)");
}

TEST(Keys, documents_nest_32_deep_and_no_deeper) {
  const auto nested = [](std::size_t depth) {
    return R"({"id":1,"x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_EQ(in_json("/id", nested(32)), "1");
  EXPECT_EQ(in_json("/id", nested(33)), "(none)");
  EXPECT_EQ(in_json("/id", nested(1'000'000)), "(none)");
}

TEST(Keys, a_large_document_and_a_long_key_are_no_harm) {
  const std::string filler(8 * 1024 * 1024, 'x');
  EXPECT_EQ(in_json("/id", "{\"" + filler + "\":\"" + filler + "\",\"id\":1}"), "1");
  const std::string key = in_json("/id", "{\"id\":\"" + filler + "\"}");
  EXPECT_EQ(key, "sha256:" + net::hex(net::sha256(filler)));
  EXPECT_EQ(in_json("/id", "{\"id\":\"" + filler.substr(0, key_bytes_max) + "\"}").size(), key_bytes_max);
}

TEST(Keys, a_field_gives_its_first_value_whatever_the_case_of_its_name) {
  http::Fields fields;
  fields.add("x-delivery", "one");
  fields.add("X-Delivery", "two");
  fields.add("X-Empty", "");
  const auto find = [&](const char* name) { return find_key(KeyRule{From::header, name}, fields, "body"); };
  EXPECT_EQ(find("X-DELIVERY"), "one");
  EXPECT_EQ(find("X-Empty"), std::nullopt);
  EXPECT_EQ(find("X-Other"), std::nullopt);
}

TEST(Keys, a_body_gives_its_digest_unless_it_is_empty) {
  EXPECT_EQ(find_key(KeyRule{From::body, ""}, {}, "abc"), net::hex(net::sha256("abc")));
  EXPECT_EQ(find_key(KeyRule{From::body, ""}, {}, ""), std::nullopt);
}

TEST(Keys, the_first_rule_that_finds_a_key_makes_it_and_rules_do_not_meet) {
  http::Fields fields;
  fields.add("ID", "1");
  const std::vector<KeyRule> rules{
      {From::json, "/header/event_id"}, {From::json, "/uuid"}, {From::header, "id"}};
  const std::string modern = dedupe_key(rules, fields, R"({"header":{"event_id":"1"},"uuid":"1"})");
  const std::string old = dedupe_key(rules, fields, R"({"uuid":"1"})");
  const std::string plain = dedupe_key(rules, fields, "1");
  EXPECT_EQ(std::set({modern, old, plain, std::string()}).size(), 4U);
  EXPECT_EQ(dedupe_key({{From::header, "Id"}}, fields, ""), plain);
  EXPECT_EQ(dedupe_key(rules, {}, "x"), "");
  EXPECT_EQ(dedupe_key({}, fields, "x"), "");
  EXPECT_NE(dedupe_key({{From::body, ""}}, fields, "x"), dedupe_key({{From::body, ""}}, fields, "y"));
}

TEST(Keys, what_is_known_of_an_event_makes_a_key_and_an_id_is_good_within_its_app) {
  const auto key = [](From from, const EventFacts& facts) {
    return find_key(KeyRule{from, ""}, {}, "x", facts);
  };
  const EventFacts facts{"1", "t", "a", "c"};
  EXPECT_EQ(key(From::type, facts), "t");
  EXPECT_EQ(key(From::app, facts), "a");
  EXPECT_EQ(key(From::chat, facts), "c");
  for (const From from : {From::id, From::type, From::app, From::chat})
    EXPECT_EQ(key(from, {}), std::nullopt);
  EXPECT_EQ(key(From::id, {"", "t", "a", "c"}), std::nullopt) << "an app alone tells no event";
  EXPECT_EQ(key(From::id, {"1", "", "", ""}), "1");
  EXPECT_NE(key(From::id, facts), key(From::id, {"1", "t", "b", "c"}));
  EXPECT_EQ(key(From::id, facts), key(From::id, {"1", "other", "a", "other"}));
  const std::vector<KeyRule> rules{{From::id, ""}, {From::body, ""}};
  EXPECT_NE(dedupe_key(rules, {}, "x", facts), dedupe_key(rules, {}, "x"));
  EXPECT_EQ(dedupe_key(rules, {}, "x", facts), dedupe_key(rules, {}, "y", facts));
}

TEST(Keys, pointers_are_told_from_other_texts) {
  for (const char* text : {"", "/", "/a/b", "/~0~1", "//"}) EXPECT_TRUE(is_json_pointer(text)) << text;
  for (const char* text : {"a", "a/b", "/~", "/~2", "/a~/b", "#/a"})
    EXPECT_FALSE(is_json_pointer(text)) << text;
}

}  // namespace
}  // namespace rockdove::inbox
