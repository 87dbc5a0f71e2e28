#include "egress/lingxing_call.hpp"

#include "support/bodies.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

using test::request_of;

http::Request post(std::string target, std::string content, std::string_view type = "application/json") {
  http::Request request = request_of("POST", std::move(target), std::move(content));
  if (!type.empty()) request.fields.add("Content-Type", type);
  return request;
}

/// The cause of the refusal and its status; "" if there is none.
std::string refusal_of(http::Request request) {
  const auto checked = lingxing_call(std::move(request));
  const auto* refusal = std::get_if<LingxingRefusal>(&checked);
  return refusal ? std::to_string(refusal->status) + " " + refusal->cause : "";
}

LingxingCall call_of(http::Request request) {
  auto checked = lingxing_call(std::move(request));
  return std::get<LingxingCall>(std::move(checked));
}

LingxingCommon common() {
  return {"ak_test123456789", "the token", std::chrono::sys_seconds(std::chrono::seconds(1720429074))};
}

TEST(LingxingCall, sends_its_parameters_and_then_the_common_ones) {
  const auto call = call_of(request_of("GET", "/erp/sc/data/x?b=2&a=%E9%A2%86+%2b&&empty=&flag"));
  EXPECT_EQ(call.path, "/erp/sc/data/x");
  EXPECT_EQ(call.query, "b=2&a=%E9%A2%86%20%2B&empty=&flag=");
  EXPECT_EQ(call.parameters,
            (std::vector<LingxingParameter>{{"b", "2"}, {"a", "领 +"}, {"empty", ""}, {"flag", ""}}));
  const auto request = lingxing_request(call, common());
  EXPECT_EQ(request.target, "/erp/sc/data/x?b=2&a=%E9%A2%86%20%2B&empty=&flag=&" +
                                lingxing_common_query(call.parameters, common()));
  EXPECT_NE(request.target.find("access_token=the%20token&app_key=ak_test123456789&sign="),
            std::string::npos);
  EXPECT_FALSE(request.has_body);
  EXPECT_FALSE(request.fields.contains("Content-Type"));
  const auto bare = lingxing_request(call_of(request_of("GET", "/x")), common());
  EXPECT_TRUE(bare.target.starts_with("/x?access_token=")) << bare.target;
}

TEST(LingxingCall, sends_the_text_that_is_signed) {
  const auto call =
      call_of(post("/erp/sc/data/mws/orders?v=1", R"({ "sids": [1, 2], "a": {"y": 1, "x": 2} })",
                   "Application/JSON; charset=utf-8"));
  EXPECT_EQ(call.parameters,
            (std::vector<LingxingParameter>{{"v", "1"}, {"a", R"({"x":2,"y":1})"}, {"sids", "[1,2]"}}));
  const auto request = lingxing_request(call, common());
  EXPECT_EQ(request.content, R"({"a":{"x":2,"y":1},"sids":[1,2]})");
  EXPECT_EQ(request.fields.get("Content-Type"), "application/json");
  EXPECT_EQ(request.fields.get("Content-Length"), std::to_string(request.content.size()));
  EXPECT_TRUE(request.has_body);
}

TEST(LingxingCall, passes_the_callers_fields_but_those_of_the_sending) {
  http::Request request = post("/x", "{ }");
  for (const char* name : {"Content-Length", "Accept-Encoding", "Expect", "Range"})
    request.fields.add(name, "x");
  request.fields.add("X-API-VERSION", "2");
  request.fields.add("Accept", "a");
  request.fields.add("Accept", "b");
  request.context.request_id = "id-1";
  const auto sent = lingxing_request(call_of(std::move(request)), common());
  std::string fields;
  for (const auto& field : sent.fields) fields.append(field.name).append("=").append(field.value).append(";");
  EXPECT_EQ(fields, "X-API-VERSION=2;Accept=a;Accept=b;Content-Type=application/json;Content-Length=2;");
  EXPECT_EQ(sent.context.request_id, "id-1");
}

TEST(LingxingCall, may_have_an_empty_body) {
  http::Request request = request_of("POST", "/x");
  request.has_body = true;
  const auto sent = lingxing_request(call_of(std::move(request)), common());
  EXPECT_TRUE(sent.has_body);
  EXPECT_EQ(sent.fields.get("Content-Length"), "0");
}

TEST(LingxingCall, is_refused_where_no_sign_could_be_right) {
  struct Case {
    http::Request request;
    std::string expected;
  };
  http::Request zipped = post("/x", "{}");
  zipped.fields.add("Content-Encoding", "gzip");
  http::Request upgrade = request_of("GET", "/x");
  upgrade.upgrade = "websocket";
  Case cases[] = {
      {request_of("GET", "http://openapi.lingxing.com/x"), "400 bad_target"},
      {request_of("GET", "x"), "400 bad_target"},
      {request_of("GET", "*"), "400 bad_target"},
      {request_of("OPTIONS", "*"), "405 bad_method"},
      {request_of("TRACE", "/x"), "405 bad_method"},
      {request_of("GET", ""), "400 bad_target"},
      {request_of("GET", "/x#y"), "400 bad_target"},
      {request_of("GET", "/%zz"), "400 bad_target"},
      {request_of("GET", "/x?a=%2"), "400 bad_target"},
      {request_of("GET", "/x?%=1"), "400 bad_target"},
      {request_of("GET", "/x?a=%ff"), "400 bad_target"},
      {request_of("GET", "/x?=1"), "400 bad_parameter"},
      {request_of("GET", "/x?a=1&a=1"), "400 bad_parameter"},
      {request_of("GET", "/x?a=1&%61=1"), "400 bad_parameter"},
      {post("/x?a=1", R"({"a":1})"), "400 bad_parameter"},
      {post("/x", R"({"":1})"), "400 bad_parameter"},
      {request_of("GET", "/x?access_token=mine"), "400 reserved_parameter"},
      {request_of("GET", "/x?%73ign=mine"), "400 reserved_parameter"},
      {post("/x", R"({"timestamp":1})"), "400 reserved_parameter"},
      {post("/x?app_key=1", "{}"), "400 reserved_parameter"},
      {post("/x", "[1]"), "400 bad_body"},
      {post("/x", "a=1"), "400 bad_body"},
      {post("/x", R"({"a":1,"a":2})"), "400 bad_body"},
      {request_of("GET", "/x", "{}"), "400 bad_body"},
      {post("/x", "a=1", "application/x-www-form-urlencoded"), "415 unsupported_type"},
      {post("/x", "{}", "multipart/form-data; boundary=b"), "415 unsupported_type"},
      {post("/x", "{}", ""), ""},
      {std::move(zipped), "415 unsupported_type"},
      {request_of("POST", "/api/auth-server/oauth/access-token"), "403 reserved_path"},
      {request_of("POST", "/api//Auth-Server/oauth/refresh?x=1"), "403 reserved_path"},
      {request_of("POST", "/api/%61uth%2dserver/oauth/refresh"), "403 reserved_path"},
      {request_of("POST", "/api/%2561uth-server/oauth/refresh"), "403 reserved_path"},
      {std::move(upgrade), "501 upgrade_refused"},
      {request_of("CONNECT", "openapi.lingxing.com:443"), "501 upgrade_refused"},
  };
  for (Case& each : cases) {
    const std::string what = each.request.method + " " + each.request.target + " " + each.request.content;
    EXPECT_EQ(refusal_of(std::move(each.request)), each.expected) << what;
  }
}

TEST(LingxingCall, has_at_most_500_parameters_query_and_body_together) {
  std::string query = "/x?";
  for (int i = 0; i < 499; ++i) query += std::to_string(i) + "=1&";
  const auto with = [&](std::string target, const std::string& body) {
    http::Request request = request_of("POST", std::move(target), body);
    if (!body.empty()) request.fields.add("Content-Type", "application/json");
    return refusal_of(std::move(request));
  };
  EXPECT_EQ(with(query, R"({"a":1,"b":2})"), "400 bad_parameter");
  EXPECT_EQ(with(query + "a=1&b=2", ""), "400 bad_parameter");
  EXPECT_TRUE(std::holds_alternative<LingxingCall>(lingxing_call(request_of("GET", query + "a=1"))));
}

TEST(LingxingCall, names_a_doubled_parameter_without_control_characters_and_cut) {
  const auto checked = lingxing_call(request_of("GET", "/x?a%0a%1b=1&a%0A%1B=2"));
  EXPECT_EQ(std::get<LingxingRefusal>(checked).message, "the parameter a\\u000a\\u001b is there twice");
  const std::string name(1000, 'n');
  const auto cut = lingxing_call(request_of("GET", "/x?" + name + "=1&" + name + "=2"));
  EXPECT_LT(std::get<LingxingRefusal>(cut).message.size(), 200U);
}

}  // namespace
}  // namespace rockdove::egress
