#include "egress/lingxing.hpp"

#include "unit/egress/lingxing_scene.hpp"

#include <stdexcept>

namespace rockdove::egress {
namespace {

const std::string ok = "200 " + json_answer("0");

TEST_F(LingxingTest, adds_token_and_sign_to_a_plain_request) {
  EXPECT_EQ(call("/erp/sc/data/x?offset=0&length=100"), ok);
  ASSERT_EQ(api_.seen.size(), 1U);
  const LingxingCommon common{options_.app_id, api_.token, std::chrono::floor<std::chrono::seconds>(now_)};
  EXPECT_EQ(api_.seen[0].target, "/erp/sc/data/x?offset=0&length=100&" +
                                     lingxing_common_query({{"offset", "0"}, {"length", "100"}}, common));
  EXPECT_EQ(api_.seen[0].context.first_byte_timeout, options_.call_limit);
}

TEST_F(LingxingTest, sends_the_body_in_the_form_in_which_it_is_signed) {
  EXPECT_EQ(call(post("/erp/sc/data/mws/orders", R"({ "sid": 1, "filter": {"b": 1, "a": 2} })")), ok);
  ASSERT_EQ(api_.seen.size(), 1U);
  EXPECT_EQ(api_.seen[0].content, R"({"filter":{"a":2,"b":1},"sid":1})");
}

TEST_F(LingxingTest, reads_a_body_that_streams_but_not_without_end) {
  options_.body_bytes = 10;
  const auto streamed = [&](std::vector<std::string> pieces) {
    const auto feed = std::make_shared<test::Feed>(io_);
    for (std::string& piece : pieces) feed->add(std::move(piece));
    feed->end();
    http::Request request = post("/x", "");
    request.has_body = true;
    request.body = std::make_unique<test::FeedBody>(feed);
    return request;
  };
  EXPECT_EQ(call(streamed({"{\"a\"", ":1}"})), ok);
  EXPECT_EQ(api_.seen.back().content, R"({"a":1})");
  EXPECT_EQ(call(streamed({"{\"a\"", ":1234567}"})), "body_too_large");
  EXPECT_EQ(api_.seen.size(), 1U);
}

TEST_F(LingxingTest, fetches_a_token_as_a_form_and_keeps_it) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(api_.fetches, 1U);
  ASSERT_EQ(api_.token_seen.size(), 1U);
  const http::Request& fetch = api_.token_seen[0];
  EXPECT_EQ(fetch.method, "POST");
  const std::string type(fetch.fields.get("Content-Type").value_or(""));
  ASSERT_TRUE(type.starts_with("multipart/form-data; boundary=")) << type;
  const std::string boundary = "--" + type.substr(type.find('=') + 1);
  EXPECT_EQ(fetch.content,
            boundary + "\r\nContent-Disposition: form-data; name=\"appId\"\r\n\r\n" + options_.app_id +
                "\r\n" + boundary +
                "\r\nContent-Disposition: form-data; name=\"appSecret\"\r\n\r\nthe-secret\r\n" + boundary +
                "--\r\n");
  EXPECT_EQ(fetch.fields.get("Content-Length"), std::to_string(fetch.content.size()));
}

TEST_F(LingxingTest, refuses_what_cannot_be_signed_without_a_word_to_lingxing) {
  EXPECT_TRUE(
      call("/x?sign=mine").starts_with("400 {\"error\":{\"hop\":\"edge\",\"cause\":\"reserved_parameter\""));
  EXPECT_TRUE(call(post("/api/auth-server/oauth/refresh", "{}")).starts_with("403 "));
  EXPECT_TRUE(call(post("/x", "[]")).starts_with("400 "));
  EXPECT_EQ(api_.seen.size() + api_.token_seen.size(), 0U);
  EXPECT_EQ(lingxing().counters().refused, 3U);
}

TEST_F(LingxingTest, passes_every_other_answer_on_as_it_is) {
  for (const char* code : {"102", "2001004", "2001006", "2001007", "3001002", "500"}) {
    api_.script = {code};
    EXPECT_EQ(call("/x"), "200 " + json_answer(code));
  }
  EXPECT_EQ(api_.seen.size(), 6U);
  api_.business = [] { return Result<http::Response>(http::make_response(405, "text/html", "<html>")); };
  EXPECT_EQ(call("/x"), "405 <html>");
  api_.business = [] { return Result<http::Response>(Error::upstream_reset); };
  EXPECT_EQ(call("/x"), "upstream_reset");
  EXPECT_EQ(api_.seen.size(), 8U) << "nobody knows whether it was done: not sent again";
}

TEST_F(LingxingTest, does_not_show_its_token_in_a_redirect_or_a_trace) {
  call("/warm");
  for (const int status : {301, 302, 307, 308, 201}) {
    api_.business = [&] {
      auto response = http::make_response(status, "text/plain", "");
      response.fields.add("Location", "https://elsewhere.example" + api_.seen.back().target);
      return Result<http::Response>(std::move(response));
    };
    http::Request request = get("/x");
    const auto response = test::run(io_, lingxing().handle(std::move(request))).value();
    EXPECT_EQ(response.status, status == 201 ? 201 : 502);
    EXPECT_FALSE(response.fields.contains("Location"));
    EXPECT_EQ(response.content.find(api_.token), response.content.npos);
  }
  const std::size_t before = api_.seen.size();
  for (const char* method : {"TRACE", "PUT", "DELETE", "HEAD", "OPTIONS", "get"}) {
    const auto response = test::run(io_, lingxing().handle(test::request_of(method, "/x"))).value();
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.fields.get("Allow"), "GET, POST");
  }
  EXPECT_EQ(api_.seen.size(), before);
}

TEST_F(LingxingTest, waits_for_a_body_no_longer_than_it_may) {
  options_.body_limit = 40ms;
  const auto feed = std::make_shared<test::Feed>(io_);
  http::Request request = post("/x", "");
  request.has_body = true;
  request.body = std::make_unique<test::FeedBody>(feed);
  feed->add("{\"a\"");
  EXPECT_EQ(call(std::move(request)), "body_timed_out");
  EXPECT_EQ(api_.seen.size(), 0U);
}

TEST_F(LingxingTest, streams_an_answer_that_is_longer_than_it_has_to_know) {
  options_.peek_bytes = 10;
  const auto feed = std::make_shared<test::Feed>(io_);
  api_.business = [&] {
    http::Response response;
    response.has_body = true;
    response.body = std::make_unique<test::FeedBody>(feed);
    return Result<http::Response>(std::move(response));
  };
  feed->add("{\"code\":");
  feed->add("3001008,\"data\":[");
  const auto [task, said] = start("/x");
  const auto [second, after] = start("/x");
  EXPECT_FALSE(*said);
  EXPECT_EQ(api_.seen.size(), 1U) << "the answer keeps its place until its end";
  api_.business = nullptr;
  feed->add("1,2");
  feed->add("]}");
  feed->end();
  ASSERT_TRUE(until([&] { return said->has_value() && after->has_value(); }));
  EXPECT_EQ(**said, "200 {\"code\":3001008,\"data\":[1,2]}");
  EXPECT_EQ(**after, ok);
}

TEST_F(LingxingTest, gives_up_the_place_of_an_answer_that_is_read_too_slowly) {
  options_.peek_bytes = 4;
  options_.call_limit = 100ms;
  const auto feed = std::make_shared<test::Feed>(io_);
  api_.business = [&] {
    http::Response response;
    response.has_body = true;
    response.body = std::make_unique<test::FeedBody>(feed);
    return Result<http::Response>(std::move(response));
  };
  feed->add("[1,2,3,");
  const auto [task, said] = start("/x");
  ASSERT_TRUE(until([&] { return api_.seen.size() == 1; }));
  api_.business = nullptr;
  EXPECT_EQ(call("/x"), ok);
  EXPECT_FALSE(*said);
  feed->add("4]");
  feed->end();
  ASSERT_TRUE(until([&] { return said->has_value(); }));
  EXPECT_EQ(**said, "200 [1,2,3,4]") << "it streams on all the same";
}

TEST_F(LingxingTest, ends_an_exchange_that_takes_too_long) {
  options_.call_limit = 40ms;
  EXPECT_EQ(call("/warm"), ok);
  api_.held = true;
  EXPECT_EQ(call("/x"), "upstream_timeout");
  ASSERT_TRUE(until([&] { return api_.running == 0; }));
  EXPECT_EQ(api_.cancelled, 1U);
}

TEST_F(LingxingTest, gives_an_exchange_up_when_the_caller_goes) {
  EXPECT_EQ(call("/warm"), ok);
  api_.held = true;
  auto [task, said] = start("/x");
  EXPECT_EQ(api_.running, 1U);
  test::on_loop(io_, [&, t = task]() mutable { t.cancel(); });
  ASSERT_TRUE(until([&] { return api_.running == 0; }));
  api_.held = false;
  EXPECT_EQ(call("/x"), ok) << "its place is free again";
}

TEST_F(LingxingTest, takes_no_more_calls_than_it_may) {
  options_.calls = 2;
  api_.held = true;
  const auto first = start("/a"), second = start("/a");
  EXPECT_EQ(call("/b"), "queue_full");
  api_.held = false;
  ASSERT_TRUE(until([&] { return second.second->has_value(); }));
  EXPECT_EQ(call("/b"), ok);
}

TEST_F(LingxingTest, is_not_made_from_a_wrong_configuration) {
  options_.app_id = "short";
  EXPECT_THROW(lingxing(), std::invalid_argument);
  options_.app_id = "ak_test123456789";
  options_.app_secret = "";
  EXPECT_THROW(lingxing(), std::invalid_argument);
}

}  // namespace
}  // namespace rockdove::egress
