#include "providers/document.hpp"

#include "providers/form.hpp"

#include <gtest/gtest.h>

namespace rockdove::providers {
namespace {

std::string xml(const std::string& text, const std::string& path = "/A") {
  return xml_text(text, path).value_or("(none)");
}

TEST(Document, the_text_of_an_element_below_the_root_is_found) {
  const std::pair<std::string, std::string> cases[] = {
      {"<xml><A>x</A></xml>", "x"},
      {"<xml><A><![CDATA[<x>&amp;]]></A></xml>", "<x>&amp;"},
      {"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- <A>no</A> -->\n<r>\n <B/> <A >x</A ></r>", "x"},
      {"<r><A>a&lt;&amp;&#65;&#x98de;<![CDATA[b]]>c</A></r>", "a<&A飞bc"},
      {"<r><A/></r>", ""},
      {"<r><A b='>' c=\"/>\">x</A></r>", "x"},
      {"<r><B><A>no</A></B><A>yes</A></r>", "yes"},
      {"<r><A>first</A><A>second</A></r>", "first"},
      {"<A>the root</A>", "(none)"},
      {"<A><A>x</A></A>", "x"},
      {"<r><a>x</a></r>", "(none)"},
  };
  for (const auto& [text, found] : cases) EXPECT_EQ(xml(text), found) << text;
  EXPECT_EQ(xml("<r><X><B>no</B></X><A><C/><B>x</B></A></r>", "/A/B"), "x");
  EXPECT_EQ(xml("<r><A></A><B>no</B></r>", "/A/B"), "(none)");
}

TEST(Document, a_star_stands_for_every_element_of_a_list) {
  const auto every = [](const std::string& text, const char* pointer) {
    const auto texts = Document(text).every(pointer);
    std::string all = texts ? "" : "(none)";
    for (const std::string& each : texts.value_or(std::vector<std::string>())) all += each + ";";
    return all;
  };
  const std::string list = R"({"a":[{"i":1,"b":["x","y"]},{"i":"2","b":["z"]}],"e":[],"*":{"k":3}})";
  EXPECT_EQ(every(list, "/a/*/i"), "1;2;");
  EXPECT_EQ(every(list, "/a/*/b/*"), "x;y;z;");
  EXPECT_EQ(every(list, "/a/1/b/*"), "z;");
  EXPECT_EQ(every(list, "/a/0/i"), "1;");
  for (const char* pointer :
       {"/a/*/b", "/a/*/none", "/e/*", "/e/*/i", "/a/*", "/none/*", "/*", "/*/k", "/a/*i"})
    EXPECT_EQ(every(list, pointer), "(none)") << pointer;
  EXPECT_EQ(every("[1,2]", "/*"), "1;2;");
  EXPECT_EQ(every("[1,null]", "/*"), "(none)");
  EXPECT_EQ(every("<r><a>1</a></r>", "/a/*"), "(none)");
  EXPECT_TRUE(has_every("/*") && has_every("/a/*") && has_every("/*a/*/b"));
  EXPECT_FALSE(has_every("/a*") || has_every("/*a") || has_every("") || has_every("/a/*b/c"));
}

TEST(Document, what_is_not_well_formed_has_no_elements) {
  for (const std::string text : {"",
                                 "x",
                                 "<",
                                 "<r",
                                 "<r><A>x",
                                 "<r><A>x</r>",
                                 "<r><A>x</B></r>",
                                 "<r></r><r><A>x</A></r>",
                                 "x<r><A>x</A></r>",
                                 "<!DOCTYPE r><r><A>x</A></r>",
                                 "<r><A>&b;</A></r>",
                                 "<r><A>&amp</A></r>",
                                 "<r><A>&#0;</A></r>",
                                 "<r><A>&#xD800;</A></r>",
                                 "<r><A>&#x110000;</A></r>",
                                 "<r><A>&#;</A></r>",
                                 "<r><A><B/>x</A></r>",
                                 "<r><B><C></B></C><A>x</A></r>",
                                 "<r><!-- <A>x</A></r>",
                                 "<r><A><![CDATA[x</A></r>",
                                 "<r>< A>x</A></r>",
                                 "<r></r></r><A>x</A>",
                                 "</r><A>x</A>"})
    EXPECT_EQ(xml(text), "(none)") << text;
}

TEST(Document, elements_nest_32_deep_and_no_deeper) {
  for (const int depth : {32, 33}) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "<x>";
    for (int i = 0; i < depth; ++i) text += "</x>";
    EXPECT_EQ(xml("<r>" + text.substr(3, text.size() - 7) + "<A>y</A></r>"), depth == 32 ? "y" : "(none)");
  }
}

TEST(Document, a_json_place_holds_a_text_a_number_or_a_truth) {
  const Document document(
      R"({"s":"飞\n","n":-17,"u":18446744073709551615,"t":true,"f":1.5,"z":null,"o":{"a":[1,"x"]},
                             "a/b":1,"big":123456789012345678901234567890})");
  const std::pair<const char*, const char*> cases[] = {
      {"/s", "飞\n"},   {"/n", "-17"},       {"/u", "18446744073709551615"},
      {"/t", "true"},   {"/f", "(none)"},    {"/z", "(none)"},
      {"/o", "(none)"}, {"/o/a/1", "x"},     {"/o/a/2", "(none)"},
      {"/a~1b", "1"},   {"/big", "(none)"},  {"", "(none)"},
      {"s", "(none)"},  {"/o/a/-", "(none)"}};
  for (const auto& [pointer, found] : cases) {
    EXPECT_EQ(document.json(pointer).value_or("(none)"), found) << pointer;
    EXPECT_EQ(document.either(pointer).value_or("(none)"), found) << pointer;
  }
  EXPECT_TRUE(document.has_json("/o"));
  EXPECT_TRUE(document.has_json("/f"));
  EXPECT_FALSE(document.has_json("/z"));
  EXPECT_FALSE(document.has_json("/x"));
}

TEST(Document, a_text_is_looked_into_as_what_it_is) {
  EXPECT_EQ(Document(" <r><A>x</A></r>").either("/A"), "x");
  EXPECT_EQ(Document("{\"A\":\"x\"}").xml("/A"), std::nullopt);
  EXPECT_EQ(Document("<r><A>x</A></r>").json("/A"), std::nullopt);
  EXPECT_TRUE(Document("<r><A>x</A></r>").has_either("/A"));
  EXPECT_EQ(Document("{\"A\":\"x\"} y").json("/A"), std::nullopt);
  EXPECT_EQ(Document(std::string(40, '[') + std::string(40, ']')).has_json("/0"), false);
  const std::string large = "{\"A\":\"" + std::string(document_bytes_max, 'x') + "\"}";
  EXPECT_FALSE(Document(large).has_json("/A"));
  EXPECT_EQ(xml_text("<r><A>x</A>" + std::string(document_bytes_max, ' ') + "</r>", "/A"), std::nullopt);
}

TEST(Form, pairs_are_decoded_in_order) {
  const auto pairs = parse_form("b=1&a=%E9%A3%9E+x&&c&=d&b=2=3");
  ASSERT_TRUE(pairs);
  const std::vector<FormPair> expected{{"b", "1"}, {"a", "飞 x"}, {"c", ""}, {"", "d"}, {"b", "2=3"}};
  EXPECT_EQ(*pairs, expected);
  EXPECT_EQ(*find_pair(*pairs, "b"), "1");
  EXPECT_EQ(find_pair(*pairs, "x"), nullptr);
  EXPECT_EQ(parse_form("")->size(), 0U);
}

TEST(Form, what_is_no_form_has_no_pairs) {
  EXPECT_EQ(parse_form("a=%zz"), std::nullopt);
  EXPECT_EQ(parse_form("%1=a"), std::nullopt);
  std::string many;
  for (std::size_t i = 0; i < form_pairs_max; ++i) many += "a=1&";
  EXPECT_EQ(parse_form(many)->size(), form_pairs_max);
  EXPECT_EQ(parse_form(many + "a=1"), std::nullopt);
}

TEST(Document, more_values_than_a_tree_may_have_are_not_looked_into) {
  const auto list = [](std::size_t marks) {
    std::string text = R"({"a":"b","c":[)";  // five marks
    for (std::size_t i = 5; i < marks; ++i) text += "1,";
    return text + "1]}";
  };
  EXPECT_EQ(Document(list(document_values_max)).json("/a"), "b");
  EXPECT_EQ(Document(list(document_values_max + 1)).json("/a"), std::nullopt);
  const std::string letters = R"({"a":"b","c":")" + std::string(document_values_max * 2, 'x') + "\"}";
  EXPECT_EQ(Document(letters).json("/a"), "b");
}

}  // namespace
}  // namespace rockdove::providers
