#include "base/percent.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rockdove {
namespace {

TEST(percent, decodes_each_escape_once) {
  const struct {
    const char *text, *bytes;
  } cases[] = {
      {"", ""},       {"abc", "abc"},         {"%41%2f%2F", "A//"}, {"%2525", "%25"},
      {"a+b", "a+b"}, {"%e4%Bd", "\xE4\xBD"}, {"%7E", "~"},
  };
  for (const auto& each : cases) EXPECT_EQ(percent_decode(each.text).value(), each.bytes) << each.text;
  EXPECT_EQ(percent_decode("a%00b").value(), std::string("a\0b", 3));
}

TEST(percent, a_broken_escape_is_refused) {
  for (const char* text : {"%", "%4", "a%", "%G1", "%1G", "%%41", "% 1", "%-1", "%+1"}) {
    EXPECT_FALSE(percent_decode(text)) << text;
    EXPECT_FALSE(query_decode(text)) << text;
  }
}

TEST(percent, a_plus_is_a_space_in_queries_alone) {
  EXPECT_EQ(query_decode("a+b%2Bc").value(), "a b+c");
  EXPECT_EQ(percent_decode("a+b%2Bc").value(), "a+b+c");
}

TEST(percent, what_is_encoded_comes_back_and_is_fit_for_a_url) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string text = percent_encode(all);
  EXPECT_EQ(percent_decode(text).value(), all);
  EXPECT_EQ(query_decode(text).value(), all);
  EXPECT_EQ(text.find_first_not_of("%0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"),
            text.npos);
  EXPECT_EQ(percent_encode("a-b._~Z9"), "a-b._~Z9");
}

}  // namespace
}  // namespace rockdove
