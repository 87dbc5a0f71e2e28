#include "providers/template.hpp"

#include <gtest/gtest.h>

namespace rockdove::providers {
namespace {

std::string problem(std::string_view text, Use use) {
  const auto parsed = parse_template(text, use);
  const auto* error = std::get_if<TemplateError>(&parsed);
  return error ? error->message : "";
}

TEST(Place, every_form_is_read_and_written_back) {
  for (const char* text : {"method", "encrypted", "header:X-Sig", "query:a b", "form:sign", "json:/a/0/b~1c",
                           "xml:/A/B", "opened:/header/event_id"}) {
    const auto place = parse_place(text);
    ASSERT_TRUE(place) << text;
    EXPECT_EQ(to_text(*place), text);
  }
  for (const char* text : {"", "body", "header:", "header:a b", "Header:x", "json:a", "json:", "xml:A",
                           "json:/~2", "json:/~", "query:", "form:", "opened:x", " method", "encrypted:x"})
    EXPECT_EQ(parse_place(text), std::nullopt) << text;
}

TEST(Condition, a_place_is_there_or_not_or_is_a_text) {
  const std::pair<const char*, const char*> cases[] = {{"json:/a", "json:/a"},
                                                       {"! json:/a", "!json:/a"},
                                                       {"json:/a=1", "json:/a = 1"},
                                                       {"header:X  !=  a b", "header:X != a b"},
                                                       {"json:/a = ", "json:/a = "}};
  for (const auto& [text, written] : cases) {
    const auto condition = parse_condition(text);
    ASSERT_TRUE(condition) << text;
    EXPECT_EQ(to_text(*condition), written);
    EXPECT_EQ(parse_condition(written), condition);
  }
  for (const char* text : {"", "=", "= a", "!", "!=a", "x = 1", "!json:/a = 1"})
    EXPECT_EQ(parse_condition(text), std::nullopt) << text;
}

TEST(Template, every_hole_is_read_and_written_back) {
  for (const char* text :
       {"", "plain { } $ text", "v0:${timestamp}:${body}", "${id}.${nonce}${secret}", "${url}${form}",
        "${form_pairs}", "${form_pairs except sign,sign_type}", "${json:/a}-${header:X}", "${encrypted}"}) {
    const auto parsed = parse_template(text, Use::signed_text);
    ASSERT_TRUE(std::holds_alternative<Template>(parsed)) << text << ": " << problem(text, Use::signed_text);
    EXPECT_EQ(to_text(std::get<Template>(parsed)), text);
  }
  for (const char* text :
       {"{\"challenge\":${quoted opened:/challenge}}", "${opened}", "${quoted opened}", "${query:x}"})
    EXPECT_EQ(to_text(std::get<Template>(parse_template(text, Use::shown_text))), text);
}

TEST(Template, what_leaves_the_program_has_no_hole_for_a_secret) {
  for (const char* text : {"${secret}", "${body}", "${quoted secret}", "${nonce}", "${form}"})
    EXPECT_NE(problem(text, Use::shown_text), "") << text;
}

TEST(Template, an_error_says_what_is_allowed) {
  EXPECT_NE(problem("${Body}", Use::signed_text).find("unknown hole \"${Body}\"; here may stand ${body}"),
            std::string::npos);
  EXPECT_NE(problem("a${body", Use::signed_text).find("without its"), std::string::npos);
  for (const char* text : {"${}", "${opened}", "${quoted json:/a}", "${json:a}", "${ body}",
                           "${form_pairs except }", "${form_pairs except a,,b}"})
    EXPECT_NE(problem(text, Use::signed_text), "") << text;
}

}  // namespace
}  // namespace rockdove::providers
