#include "http/fields.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rockdove::http {
namespace {

std::string text_of(const Fields& fields) {
  std::string text;
  for (const Fields::Field field : fields)
    text.append(field.name).append("=").append(field.value).append(";");
  return text;
}

Fields sample() {
  Fields fields;
  fields.add("Accept", "a");
  fields.add("X-Id", "1");
  fields.add("accept", "b");
  fields.add("Empty", "");
  fields.add("ACCEPT", "c");
  return fields;
}

TEST(fields, keep_order_case_and_duplicates) {
  EXPECT_EQ(text_of(sample()), "Accept=a;X-Id=1;accept=b;Empty=;ACCEPT=c;");
  EXPECT_EQ(sample().size(), 5u);
  EXPECT_EQ(sample().bytes(), 31u);
  EXPECT_EQ(sample().at(2).name, "accept");
  EXPECT_EQ(sample().at(2).value, "b");
}

TEST(fields, are_found_in_any_case) {
  const Fields fields = sample();
  EXPECT_EQ(fields.get("aCCept"), "a");
  EXPECT_EQ(fields.get("empty"), "");
  EXPECT_EQ(fields.get("accep"), std::nullopt);
  EXPECT_EQ(fields.get(""), std::nullopt);
  EXPECT_TRUE(fields.contains("x-id"));
  EXPECT_FALSE(fields.contains("x_id"));
  EXPECT_EQ(fields.count("accept"), 3u);
  EXPECT_EQ(fields.count("none"), 0u);
}

TEST(fields, that_share_size_first_middle_and_last_letter_stay_apart) {
  Fields fields;
  fields.add("xabcde", "1");
  fields.add("XzzCzE", "2");
  fields.add("xAbCdE", "3");
  fields.add("", "4");
  EXPECT_EQ(fields.get("xzzcze"), "2");
  EXPECT_EQ(fields.count("xabcde"), 2u);
  EXPECT_EQ(fields.get(""), "4");
  EXPECT_EQ(fields.remove("xabcde"), 2u);
  EXPECT_EQ(text_of(fields), "XzzCzE=2;=4;");
}

TEST(fields, compare_letters_only_without_case) {
  EXPECT_TRUE(iequals("Content-Length", "cONTENT-lENGTH"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_FALSE(iequals("@", "`"));  // 32 apart, but no letters
  EXPECT_FALSE(iequals("[", "{"));
  EXPECT_FALSE(iequals("\xc3\x84", "\xc3\xa4"));
}

TEST(fields, compare_every_two_bytes_at_every_place_as_one_by_one) {
  const auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  for (const std::size_t size : {1, 3, 4, 7, 8, 11, 16, 17})
    for (std::size_t at = 0; at < size; at += 2)
      for (int one = 0; one < 256; ++one)
        for (int other = 0; other < 256; ++other) {
          std::string a(size, 'x'), b(size, 'X');
          a[at] = static_cast<char>(one);
          b[at] = static_cast<char>(other);
          ASSERT_EQ(iequals(a, b), lower(one) == lower(other))
              << size << " " << at << " " << one << " " << other;
        }
}

TEST(fields, set_replaces_the_first_in_its_place_and_drops_the_others) {
  Fields fields = sample();
  fields.set("accept", "a longer value than before");
  EXPECT_EQ(text_of(fields), "Accept=a longer value than before;X-Id=1;Empty=;");
  fields.set("New", "n");
  EXPECT_EQ(text_of(fields), "Accept=a longer value than before;X-Id=1;Empty=;New=n;");
  fields.set("empty", "");
  EXPECT_EQ(fields.get("Empty"), "");
}

TEST(fields, remove_takes_all_of_a_name_and_says_how_many) {
  Fields fields = sample();
  EXPECT_EQ(fields.remove("ACCEPT"), 3u);
  EXPECT_EQ(text_of(fields), "X-Id=1;Empty=;");
  EXPECT_EQ(fields.remove("accept"), 0u);
  EXPECT_EQ(fields.remove("X-Id"), 1u);
  EXPECT_EQ(fields.remove("Empty"), 1u);
  EXPECT_TRUE(fields.empty());
}

TEST(fields, lower_the_name_alone_when_asked) {
  Fields fields;
  fields.add("Before", "B");
  fields.add_lowercase("X-Lark-Signature", "AbC");
  EXPECT_EQ(text_of(fields), "Before=B;x-lark-signature=AbC;");
}

TEST(fields, clear_and_copy_stand_alone) {
  Fields fields = sample();
  const Fields copy = fields;
  fields.clear();
  EXPECT_TRUE(fields.empty());
  EXPECT_EQ(fields.bytes(), 0u);
  EXPECT_EQ(fields.get("accept"), std::nullopt);
  EXPECT_EQ(text_of(copy), text_of(sample()));
}

TEST(fields, tell_whether_a_list_has_a_token) {
  Fields fields;
  fields.add("Connection", "keep-alive , Upgrade");
  fields.add("Other", "close");
  fields.add("connection", ",\tX-Custom");
  EXPECT_TRUE(fields.has_token("connection", "upgrade"));
  EXPECT_TRUE(fields.has_token("Connection", "KEEP-ALIVE"));
  EXPECT_TRUE(fields.has_token("Connection", "x-custom"));
  EXPECT_FALSE(fields.has_token("Connection", "close"));
  EXPECT_FALSE(fields.has_token("Connection", "keep"));
  EXPECT_FALSE(fields.has_token("Connection", "keep-alive , Upgrade"));
  EXPECT_FALSE(fields.has_token("None", "close"));
}

}  // namespace
}  // namespace rockdove::http
