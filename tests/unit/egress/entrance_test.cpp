#include "egress/entrance.hpp"

#include "egress/web_page.hpp"
#include "net/crypto.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

TEST(Basic, user_and_password_are_read) {
  const auto read = parse_basic("Basic " + net::base64("feishu-bot:rd_1:with:colons"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->user, "feishu-bot");
  EXPECT_EQ(read->password, "rd_1:with:colons");
  EXPECT_TRUE(parse_basic("bAsIc  " + net::base64("a:")));
}

TEST(Basic, anything_else_is_unauthorized) {
  const std::string good = net::base64("a:b");
  for (const std::string& text :
       {std::string(), std::string("Basic"), std::string("Basic "), good, "Bearer " + good, "Basic" + good,
        "Basic " + good + "!", "Basic " + net::base64("nocolon"), "Basic " + good + " x",
        "Basic " + net::base64(std::string(2000, 'a') + ":b")})
    EXPECT_EQ(parse_basic(text).error(), Error::unauthorized) << text;
}

http::Request request_of(std::string target, std::vector<std::pair<std::string, std::string>> fields) {
  http::Request request;
  request.method = "GET";
  request.target = std::move(target);
  for (const auto& [name, value] : fields) request.fields.add(name, value);
  return request;
}

TEST(WebPage, programs_are_let_through) {
  for (const char* host : {"127.0.0.1:5001", "[::1]:5001", "localhost:5001", "localhost", "agent:5001",
                           "host.docker.internal:5001", "box.local", "LOCALHOST", "192.168.1.5:5001"})
    EXPECT_FALSE(is_from_web_page(request_of("/lingxing/x", {{"Host", host}, {"Sec-Fetch-Mode", "cors"}})))
        << host;
}

TEST(WebPage, pages_are_not) {
  EXPECT_TRUE(
      is_from_web_page(request_of("/a/x", {{"Host", "127.0.0.1"}, {"Origin", "https://evil.example"}})));
  EXPECT_TRUE(is_from_web_page(request_of("/a/x", {{"Host", "127.0.0.1"}, {"Origin", "null"}})));
  EXPECT_TRUE(
      is_from_web_page(request_of("/a/x", {{"Host", "127.0.0.1"}, {"Sec-Fetch-Site", "cross-site"}})));
  for (const char* host : {"rebound.evil.example:5001", "evil.example", "a.localhost.example", "x y", "",
                           "127.0.0.1.evil.example"})
    EXPECT_TRUE(is_from_web_page(request_of("/a/x", {{"Host", host}}))) << host;
}

TEST(WebPage, a_browser_that_uses_the_proxy_as_a_proxy_may) {
  EXPECT_FALSE(is_from_web_page(
      request_of("http://a.example/x", {{"Host", "a.example"}, {"Origin", "http://a.example"}})));
  EXPECT_FALSE(is_from_web_page(request_of("a.example:443", {{"Host", "a.example:443"}})));
}

}  // namespace
}  // namespace rockdove::egress
