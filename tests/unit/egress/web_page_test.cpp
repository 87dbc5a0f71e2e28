#include "egress/web_page.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

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
