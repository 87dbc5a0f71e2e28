#include "tunnel/join.hpp"

#include "net/crypto.hpp"

#include <gtest/gtest.h>

namespace rockdove::tunnel {
namespace {

const std::string pin(43, 'A');

JoinInfo example() {
  return {{"tunnel.example.com:8081", "[2001:db8::1]:8081"},
          "feishu-bot",
          "tq0Zr3nV-u_9hYx2Kc8dWw",
          JoinInfo::Tls::pin,
          pin};
}

/// A join string around any JSON text, with the right checksum.
std::string wrap(std::string_view json, std::string_view begin = "rockdove1.") {
  const std::string encoded = net::base64url(json);
  return std::string(begin) + encoded + "." + net::hex(net::sha256(encoded)).substr(0, 8);
}

std::string message(std::string_view text) {
  const auto result = decode_join(text);
  const auto* error = std::get_if<JoinError>(&result);
  return error ? error->message : "";
}

bool says(std::string_view text, std::string_view part) {
  return message(text).find(part) != std::string::npos;
}

void expect_example(std::string_view text) {
  const auto result = decode_join(text);
  ASSERT_TRUE(std::holds_alternative<JoinInfo>(result)) << std::get<JoinError>(result).message << "\n"
                                                        << text;
  EXPECT_EQ(std::get<JoinInfo>(result), example());
}

TEST(join, what_is_encoded_comes_back) {
  JoinInfo by_ca = example(), plain = example();
  by_ca.tls = JoinInfo::Tls::ca;
  by_ca.pin.clear();
  plain.tls = JoinInfo::Tls::off;
  plain.pin.clear();
  plain.addresses = {"127.0.0.1:1"};
  for (const JoinInfo& info : {example(), by_ca, plain}) {
    ASSERT_TRUE(is_valid(info));
    const auto result = decode_join(encode_join(info));
    ASSERT_TRUE(std::holds_alternative<JoinInfo>(result)) << std::get<JoinError>(result).message;
    EXPECT_EQ(std::get<JoinInfo>(result), info);
  }
}

TEST(join, the_format_is_the_documented_one) {
  const std::string text = encode_join(example());
  const std::string json = R"({"v":1,"a":["tunnel.example.com:8081","[2001:db8::1]:8081"],"t":"feishu-bot",)"
                           R"("s":"tq0Zr3nV-u_9hYx2Kc8dWw","m":"pin","p":")" +
                           pin + "\"}";
  EXPECT_EQ(text, wrap(json));
  EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."),
            std::string::npos);
}

TEST(join, the_largest_valid_info_fits_the_limit) {
  JoinInfo info = example();
  info.addresses.assign(8, std::string(253, 'h') + ":65535");
  info.tunnel.assign(63, 't');
  info.secret.assign(256, 's');
  ASSERT_TRUE(is_valid(info));
  EXPECT_LT(encode_join(info).size(), join_string_max);
  EXPECT_TRUE(std::holds_alternative<JoinInfo>(decode_join(encode_join(info))));
}

TEST(join, every_change_of_one_character_is_noticed) {
  const std::string text = encode_join(example());
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int c = 0; c < 256; ++c) {
      if (text[i] == static_cast<char>(c)) continue;
      std::string typo = text;
      typo[i] = static_cast<char>(c);
      ASSERT_NE(message(typo), "") << "character " << i << " became " << c;
    }
}

TEST(join, every_character_left_out_doubled_or_swapped_is_noticed) {
  const std::string text = encode_join(example());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string without = text, twice = text, swapped = text;
    without.erase(i, 1);
    twice.insert(i, 1, text[i]);
    EXPECT_NE(message(without), "") << i;
    EXPECT_NE(message(twice), "") << i;
    if (i == 0 || text[i] == text[i - 1]) continue;
    std::swap(swapped[i], swapped[i - 1]);
    EXPECT_NE(message(swapped), "") << i;
  }
}

TEST(join, a_string_that_is_cut_short_is_called_so) {
  const std::string text = encode_join(example());
  for (std::size_t size = 1; size < text.size(); ++size)
    EXPECT_TRUE(says(text.substr(0, size), "cut short")) << size << ": " << message(text.substr(0, size));
  EXPECT_TRUE(says("", "empty"));
  EXPECT_TRUE(says(" \r\n", "empty"));
}

TEST(join, a_string_without_its_beginning_is_no_join_string) {
  const std::string text = encode_join(example());
  for (std::size_t size = 1; size < text.size(); ++size) EXPECT_NE(message(text.substr(size)), "") << size;
  EXPECT_TRUE(says("hello", "not a join string"));
  EXPECT_TRUE(says("rockdove.1", "not a join string"));
  EXPECT_TRUE(says("https://tunnel.example.com:8081", "not a join string"));
}

TEST(join, white_space_wrapping_and_quotes_do_not_matter) {
  const std::string text = encode_join(example());
  expect_example("  " + text + "\r\n");
  expect_example("\"" + text + "\"");
  expect_example(" '" + text + "'\n");
  expect_example("\" " + text + " \"");
  for (const std::size_t width : {1, 40, 79, 80}) {
    std::string wrapped;
    for (std::size_t at = 0; at < text.size(); at += width) wrapped += text.substr(at, width) + "\r\n  ";
    expect_example(wrapped);
  }
}

TEST(join, unpaired_quotes_are_noticed) {
  const std::string text = encode_join(example());
  for (const std::string& quoted : {"\"" + text, text + "'", "\"" + text + "'", "\"\"" + text + "\"\""})
    EXPECT_NE(message(quoted), "") << quoted;
}

TEST(join, a_newer_format_asks_for_an_update) {
  EXPECT_TRUE(says(wrap("{}", "rockdove2."), "update this program"));
  EXPECT_TRUE(says("rockdove10.anything-at-all", "update this program"));
  EXPECT_TRUE(says(wrap(R"({"v":2})"), "update this program"));
}

TEST(join, unknown_keys_are_left_aside) {
  const auto result =
      decode_join(wrap(R"({"v":1,"a":["h:1"],"t":"t","s":"x","m":"off","later":[1,{"deep":null}]})"));
  ASSERT_TRUE(std::holds_alternative<JoinInfo>(result)) << std::get<JoinError>(result).message;
}

TEST(join, contents_outside_the_limits_are_refused) {
  const std::string good = R"({"v":1,"a":["h:1"],"t":"t","s":"x","m":"off"})";
  ASSERT_EQ(message(wrap(good)), "");
  const std::pair<const char*, const char*> changes[] = {{"\"v\":1,", ""},
                                                         {"\"v\":1", "\"v\":0"},
                                                         {"\"v\":1", "\"v\":\"1\""},
                                                         {"[\"h:1\"]", "[]"},
                                                         {"[\"h:1\"]", "\"h:1\""},
                                                         {"\"h:1\"", "1"},
                                                         {"h:1", "h"},
                                                         {"h:1", ":1"},
                                                         {"h:1", "h:"},
                                                         {"h:1", "h:0"},
                                                         {"h:1", "h:65536"},
                                                         {"h:1", "h:99999999999"},
                                                         {"h:1", "h:01"},
                                                         {"h:1", "a b:1"},
                                                         {"h:1", "h/x:1"},
                                                         {"h:1", "a:b:1"},
                                                         {"h:1", "[]:1"},
                                                         {"h:1", "[a/b]:1"},
                                                         {"h:1", "h\\r\\nX:1"},
                                                         {"\"t\":\"t\"", "\"t\":\"\""},
                                                         {"\"t\":\"t\"", "\"t\":\"T\""},
                                                         {"\"t\":\"t\"", "\"t\":1"},
                                                         {"\"s\":\"x\"", "\"s\":\"\""},
                                                         {"\"s\":\"x\"", "\"s\":\"a b\""},
                                                         {"\"off\"", "\"none\""},
                                                         {"\"off\"", "1"},
                                                         {"\"off\"", "\"pin\""},
                                                         {"\"off\"", "\"off\",\"p\":\"QQ\""},
                                                         {"}", ""}};
  for (const auto& [from, to] : changes) {
    std::string json = good;
    json.replace(json.find(from), std::string_view(from).size(), to);
    EXPECT_TRUE(says(wrap(json), "cannot read")) << json << ": " << message(wrap(json));
  }
  const std::string short_pin = R"({"v":1,"a":["h:1"],"t":"t","s":"x","m":"pin","p":"QUJD"})";
  EXPECT_TRUE(says(wrap(short_pin), "cannot read"));
  EXPECT_TRUE(says(wrap("[]"), "cannot read"));
  EXPECT_TRUE(says(wrap(std::string(3000, '[')), "cannot read"));
}

TEST(join, a_text_over_the_limit_is_not_looked_at) {
  EXPECT_TRUE(says(std::string(join_string_max + 1, 'a'), "too long"));
  EXPECT_FALSE(says(std::string(join_string_max, 'a'), "too long"));
  EXPECT_TRUE(says(std::string(4 * join_string_max + 1, ' '), "too long"));
  EXPECT_FALSE(says(std::string(4 * join_string_max, ' '), "too long"));
}

TEST(join, messages_never_quote_the_secret) {
  const std::string text = encode_join(example());
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(message(text.substr(0, size)).find(text.substr(10, 12)), std::string::npos);
}

}  // namespace
}  // namespace rockdove::tunnel
