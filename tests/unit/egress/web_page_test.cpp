#include "egress/web_page.hpp"

#include <gtest/gtest.h>
#include <boost/asio/ip/address.hpp>

namespace rockdove::egress {
namespace {

http::Request request_of(std::string target, std::vector<std::pair<std::string, std::string>> fields) {
  http::Request request;
  request.method = "GET";
  request.target = std::move(target);
  for (const auto& [name, value] : fields) request.fields.add(name, value);
  return request;
}

const net::Address everywhere;  // 0.0.0.0

TEST(WebPage, programs_are_let_through) {
  for (const char* host :
       {"127.0.0.1:5001", "127.8.8.8", "[::1]:5001", "localhost:5001", "localhost", "LOCALHOST."})
    EXPECT_FALSE(
        is_from_web_page(request_of("/lingxing/x", {{"Host", host}, {"Sec-Fetch-Mode", "cors"}}), everywhere))
        << host;
}

TEST(WebPage, pages_are_not) {
  const std::pair<std::string, std::string> fields[] = {{"Origin", "https://evil.example"},
                                                        {"Origin", "null"},
                                                        {"Referer", "http://evil.example/"},
                                                        {"Sec-Fetch-Site", "cross-site"},
                                                        {"Sec-Fetch-Dest", "image"}};
  for (const auto& field : fields)
    EXPECT_TRUE(is_from_web_page(request_of("/a/x", {{"Host", "127.0.0.1"}, field}), everywhere))
        << field.first;
  for (const char* host : {"rebound.evil.example:5001", "evil.example", "a.localhost.example", "a.localhost",
                           "x y", "", "127.0.0.1.evil.example", "192.168.1.5:5001", "box.local", "agent:5001",
                           "host.docker.internal:5001", "0.0.0.0:5001", "[::]:5001"})
    EXPECT_TRUE(is_from_web_page(request_of("/a/x", {{"Host", host}}), everywhere)) << host;
}

TEST(WebPage, the_address_that_we_listen_at_is_ours_and_no_other) {
  const auto listen = net::asio::ip::make_address("192.168.1.5");
  EXPECT_FALSE(is_from_web_page(request_of("/a/x", {{"Host", "192.168.1.5:5001"}}), listen));
  EXPECT_TRUE(is_from_web_page(request_of("/a/x", {{"Host", "192.168.1.6:5001"}}), listen));
}

TEST(WebPage, a_browser_that_uses_the_proxy_as_a_proxy_may) {
  EXPECT_FALSE(is_from_web_page(
      request_of("http://a.example/x", {{"Host", "a.example"}, {"Origin", "http://a.example"}}), everywhere));
  EXPECT_FALSE(is_from_web_page(request_of("a.example:443", {{"Host", "a.example:443"}}), everywhere));
}

}  // namespace
}  // namespace rockdove::egress
