#include "base/text.hpp"

#include <gtest/gtest.h>

namespace rockdove {
namespace {

TEST(text, utf8_is_told_from_other_bytes) {
  for (const char* good : {"", "abc", "\x7F", "\xC2\x80", "\xE4\xBD\xA0", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xEE\x80\x80"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
    EXPECT_EQ(to_utf8(good), good);
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xE4\xBD",
                          "\xC2"
                          "a"}) {
    EXPECT_FALSE(is_utf8(bad));
    EXPECT_TRUE(is_utf8(to_utf8(bad)));
  }
  EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
  EXPECT_EQ(to_utf8("a\xFF\xC2z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
}

TEST(text, a_prefix_cuts_no_character) {
  const std::string_view text = "a\xE4\xBD\xA0z";
  const std::string_view expected[] = {"", "a", "a", "a", "a\xE4\xBD\xA0", text, text};
  for (std::size_t limit = 0; limit < std::size(expected); ++limit)
    EXPECT_EQ(utf8_prefix(text, limit), expected[limit]) << limit;
}

TEST(text, nothing_that_steers_a_terminal_is_printed) {
  const struct {
    std::string_view bytes;
    const char *one_line, *lines;
  } cases[] = {
      {"plain \xE4\xBD\xA0", "plain \xE4\xBD\xA0", "plain \xE4\xBD\xA0"},
      {"\x1b[2Jx", "\\u001b[2Jx", "\\u001b[2Jx"},
      {"a\r\n\tb", "a\\u000d\\u000a\\u0009b", "a\\u000d\n\tb"},
      {"\x7F", "\\u007f", "\\u007f"},
      {"\xC2\x9B", "\\u009b", "\\u009b"},        // CSI as one character
      {"\x9B", "\xEF\xBF\xBD", "\xEF\xBF\xBD"},  // and as one byte
      {"\xE2\x80\xAE", "\\u202e", "\\u202e"},    // right to left from here
      {"\xE2\x81\xA6x\xEF\xBB\xBF", "\\u2066x\\ufeff", "\\u2066x\\ufeff"},
      {{"\0", 1}, "\\u0000", "\\u0000"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(printable(each.bytes, Lines::escape), each.one_line);
    EXPECT_EQ(printable(each.bytes, Lines::keep), each.lines);
  }
}

TEST(text, wide_characters_take_two_columns) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("\xC3\xA9"), 1U);
  EXPECT_EQ(display_width("\xE5\x8E\x9F\xE9\xB8\xBD"), 4U);
  EXPECT_EQ(display_width("\xF0\x9F\x95\x8A!"), 3U);
  EXPECT_EQ(display_width("\xFF"), 1U);
}

}  // namespace
}  // namespace rockdove
