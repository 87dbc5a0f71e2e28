#include "egress/lingxing_json.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

std::string text_of(std::string_view body) {
  const auto parsed = parse_lingxing_body(body);
  return parsed ? parsed->text : "refused";
}

/// "name=value;…" of what takes part in the sign.
std::string signed_of(std::string_view body) {
  const auto parsed = parse_lingxing_body(body);
  if (!parsed) return "refused";
  std::string all;
  for (const LingxingParameter& each : parsed->parameters) all += each.name + "=" + each.value + ";";
  return all;
}

TEST(LingxingJson, is_sent_compact_and_sorted_at_every_depth) {
  EXPECT_EQ(text_of(" { \"b\" : [ 1 , { \"z\" : 1 , \"a\" : [ ] } ] ,\n\"a\" : { } }\r\n"),
            R"({"a":{},"b":[1,{"a":[],"z":1}]})");
  EXPECT_EQ(text_of("{}"), "{}");
}

TEST(LingxingJson, that_is_canonical_already_stays_as_it_is) {
  for (const std::string_view text :
       {R"({"a":1,"b":{"c":[true,false,null,"x"],"d":""},"é":"领星 \"\\\b\f\n\r\t\u0001/"})",
        R"({"":[[[]]]})"})
    EXPECT_EQ(text_of(text), text);
}

TEST(LingxingJson, signs_the_very_text_of_what_is_nested_and_strings_as_they_are) {
  struct Case {
    std::string_view body, expected;
  };
  const Case cases[] = {
      {R"({"s":"a\"b\\c\n\u4e2d"})", "s=a\"b\\c\n中;"},
      {R"({"s":"\ud83d\ude00"})", "s=😀;"},
      {R"({"o":{"s":"\u4e2d\/\ud83d\ude00\u0009"}})", R"(o={"s":"中/😀\t"};)"},
      {R"({"l":["x", "y"]})", R"(l=["x","y"];)"},
      {R"({"l":[[],[{}]]})", "l=[[],[{}]];"},
      {R"({"t":true,"f":false,"n":null})", "f=false;n=null;t=true;"},
      {R"({"e":"","el":[],"eo":{}})", "e=;el=[];eo={};"},
      {R"({"\u0061":1})", "a=1;"},
  };
  for (const Case& each : cases) EXPECT_EQ(signed_of(each.body), each.expected) << each.body;
}

TEST(LingxingJson, keeps_every_digit_of_a_number) {
  for (const std::string number :
       {"0", "-0", "1", "-17", "1.0", "1.50", "0.1000000000000000055511151231257827", "1e3", "1E+3", "2e-7",
        "9007199254740993", "18446744073709551615", "18446744073709551616",
        "123456789012345678901234567890"}) {
    EXPECT_EQ(signed_of("{\"n\":" + number + "}"), "n=" + number + ";");
    EXPECT_EQ(text_of("{\"l\":[" + number + ",{\"n\":" + number + "}]}"),
              "{\"l\":[" + number + ",{\"n\":" + number + "}]}");
  }
}

TEST(LingxingJson, refuses_what_cannot_be_signed) {
  for (const std::string_view body : {"",
                                      "null",
                                      "1",
                                      "\"text\"",
                                      "[]",
                                      "[{}]",
                                      "{",
                                      "{}{}",
                                      "{} x",
                                      R"({"a":1,})",
                                      R"({'a':1})",
                                      R"({"a":01})",
                                      R"({"a":1,"a":2})",
                                      R"({"o":{"a":1,"b":2,"a":1}})",
                                      R"({"a":1,"\u0061":2})",
                                      R"({"l":[{"x":1,"x":1}]})",
                                      "{\"a\":\"\xff\"}",
                                      R"({"a":"\ud83d"})",
                                      "{\"a\":\"\n\"}",
                                      R"({"a":NaN})",
                                      "{\"a\":1/*no*/}",
                                      "{\"a\":\"",
                                      "\xEF\xBB\xBF{}"})
    EXPECT_EQ(text_of(body), "refused") << body;
}

TEST(LingxingJson, is_no_deeper_than_32_levels) {
  const auto nested = [](std::size_t levels) {
    return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  EXPECT_EQ(text_of(nested(lingxing_depth_max)), nested(lingxing_depth_max));
  EXPECT_EQ(text_of(nested(lingxing_depth_max + 1)), "refused");
}

TEST(LingxingJson, has_no_more_members_and_values_than_may_cost_time) {
  const auto members = [](std::size_t count) {
    std::string text = "{";
    for (std::size_t i = 0; i < count; ++i)
      text.append(i ? "," : "").append("\"").append(std::to_string(10'000 + i)).append("\":1");
    return text + "}";
  };
  EXPECT_EQ(text_of(members(lingxing_parameters_max)), members(lingxing_parameters_max));
  EXPECT_EQ(text_of(members(lingxing_parameters_max + 1)), "refused");
  const std::string inside = R"({"a":)" + members(lingxing_parameters_max + 1) + "}";
  EXPECT_EQ(text_of(inside), inside) << "it is one parameter";
  const auto list = [](std::size_t count) {
    std::string text = R"({"a":[1)";
    for (std::size_t i = 1; i < count; ++i) text += ",1";
    return text + "]}";
  };
  EXPECT_EQ(text_of(list(lingxing_values_max - 10)), list(lingxing_values_max - 10));
  EXPECT_EQ(text_of(list(lingxing_values_max)), "refused");
}

TEST(LingxingJson, same_names_in_different_objects_are_no_trouble) {
  EXPECT_EQ(text_of(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})"),
            R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})");
}

}  // namespace
}  // namespace rockdove::egress
