#include "egress/lingxing_sign.hpp"

#include "base/percent.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

constexpr std::string_view app_id = "ak_test123456789";
constexpr std::string_view token = "4dcaa78e-b52d-4325-bc35-571021bb0787";

LingxingCommon common() {
  return {app_id, token, std::chrono::sys_seconds(std::chrono::seconds(1720429074))};
}

// Both vectors were computed with the openssl command from the rules of the documentation.
TEST(LingxingSign, of_a_query_is_that_of_openssl) {
  const std::string text = lingxing_signed_text({{"offset", "0"}, {"length", "100"}}, common());
  EXPECT_EQ(text,
            "access_token=4dcaa78e-b52d-4325-bc35-571021bb0787&app_key=ak_test123456789&length=100&offset=0"
            "&timestamp=1720429074");
  EXPECT_EQ(lingxing_sign(app_id, text), "DdMRgUQLxWbmcxfrTvkABB0eTyJTsnvhxCcBXrv6uI8wCpgLHg5dzZDMNuiTX/Va");
}

TEST(LingxingSign, of_a_body_is_that_of_openssl) {
  const auto body = parse_lingxing_body(
      R"({"name":"kobe","sids":[1,2],"search_value":"","content":{"age":"133","city":"lake"}})");
  ASSERT_TRUE(body);
  const std::string text = lingxing_signed_text(body->parameters, common());
  EXPECT_EQ(text,
            "access_token=4dcaa78e-b52d-4325-bc35-571021bb0787&app_key=ak_test123456789"
            R"(&content={"age":"133","city":"lake"}&name=kobe&sids=[1,2]&timestamp=1720429074)");
  EXPECT_EQ(lingxing_sign(app_id, text), "ESqt5MO/pea1COkTwkyx+lbWoy1SI9cLYNOKklP7oYEwCpgLHg5dzZDMNuiTX/Va");
}

TEST(LingxingSign, stands_in_the_query_with_its_token_and_percent_encoded) {
  EXPECT_EQ(lingxing_common_query({{"offset", "0"}, {"length", "100"}}, common()),
            "access_token=4dcaa78e-b52d-4325-bc35-571021bb0787&app_key=ak_test123456789"
            "&sign=DdMRgUQLxWbmcxfrTvkABB0eTyJTsnvhxCcBXrv6uI8wCpgLHg5dzZDMNuiTX%2FVa&timestamp=1720429074");
}

TEST(LingxingSign, covers_what_the_documentation_says) {
  struct Case {
    std::vector<LingxingParameter> parameters;
    std::string between;  // of app_key and timestamp, where most names are
  };
  const Case cases[] = {
      {{}, ""},
      {{{"empty", ""}}, ""},                     // "value为空不参与生成签名"
      {{{"nothing", "null"}}, "&nothing=null"},  // "value为null会参与生成签名"
      {{{"b", "2"}, {"ba", "3"}, {"b_", "4"}}, "&b=2&b_=4&ba=3"},
      {{{"name", "a b&c=d+%"}}, "&name=a b&c=d+%"},  // nothing is escaped
      {{{"name", "领星"}}, "&name=领星"},
      {{{"list", "[]"}, {"map", "{}"}}, "&list=[]&map={}"},
      {{{"space", " "}}, "&space= "},
  };
  for (const Case& each : cases)
    EXPECT_EQ(lingxing_signed_text(each.parameters, common()), "access_token=" + std::string(token) +
                                                                   "&app_key=" + std::string(app_id) +
                                                                   each.between + "&timestamp=1720429074");
}

TEST(LingxingSign, sorts_by_bytes_so_capitals_come_first) {
  const std::string text =
      lingxing_signed_text({{"Zone", "1"}, {"zone", "2"}, {"中", "3"}, {"_", "4"}}, common());
  EXPECT_TRUE(text.starts_with("Zone=1&_=4&access_token=")) << text;
  EXPECT_TRUE(text.ends_with("&timestamp=1720429074&zone=2&中=3")) << text;
}

TEST(LingxingSign, ends_with_what_depends_on_the_app_alone) {
  const std::string one = lingxing_sign(app_id, "a"), other = lingxing_sign(app_id, "b");
  EXPECT_EQ(one.size(), 64U);
  EXPECT_NE(one, other);
  EXPECT_EQ(one.substr(43), other.substr(43));
  EXPECT_EQ(one.substr(43), "wCpgLHg5dzZDMNuiTX/Va");
}

TEST(LingxingSign, takes_an_app_id_of_any_size_of_an_aes_key) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string id(size, 'k');
    EXPECT_EQ(is_lingxing_app_id(id), size == 16 || size == 24 || size == 32);
    if (!is_lingxing_app_id(id)) continue;
    EXPECT_EQ(lingxing_sign(id, "text").size(), 64U);
  }
}

}  // namespace
}  // namespace rockdove::egress
