#include "net/address.hpp"

#include <gtest/gtest.h>
#include <boost/asio/ip/address.hpp>

namespace rockdove::net {
namespace {

TEST(Address, listen_addresses_are_read_and_written_back) {
  const std::pair<const char*, const char*> cases[] = {{"0.0.0.0:8080", "0.0.0.0:8080"},
                                                       {"127.0.0.1:0", "127.0.0.1:0"},
                                                       {"[::1]:8081", "[::1]:8081"},
                                                       {":8080", "[::]:8080"},
                                                       {"[2001:DB8::0:1]:65535", "[2001:db8::1]:65535"}};
  for (const auto& [text, expected] : cases) {
    const auto endpoint = parse_listen_address(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(to_string(*endpoint), expected);
  }
}

TEST(Address, bad_listen_addresses_are_refused) {
  for (const char* text :
       {"", ":", "8080", "localhost:80", "1.2.3:80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:80",
        "[::1]", "[::1]80", "[1.2.3.4]:80", "1.2.3.4:80 ", "1.2.3.4:+80", "::8080"})
    EXPECT_FALSE(parse_listen_address(text)) << text;
}

struct Membership {
  const char* network;
  const char* address;
  bool inside;
};

TEST(Address, a_network_contains_what_shares_its_prefix) {
  const Membership cases[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"10.1.2.3/8", "10.9.9.9", true},  // bits after the prefix do not count
      {"192.168.1.128/25", "192.168.1.200", true},
      {"192.168.1.128/25", "192.168.1.127", false},
      {"172.16.0.0/12", "172.31.255.255", true},
      {"172.16.0.0/12", "172.32.0.0", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"192.0.2.1/32", "192.0.2.0", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "203.0.113.9", false},
      {"::1", "::1", true},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/32", "2001:db9::1", false},
      {"fe80::/10", "febf::1", true},
      {"fe80::/10", "fec0::1", false},
      {"10.0.0.0/8", "::ffff:10.1.1.1", true},
      {"10.0.0.0/8", "::ffff:11.1.1.1", false},
      {"::ffff:10.0.0.0/104", "10.1.1.1", true},
      {"::ffff:10.0.0.0/104", "11.1.1.1", false},
      {"::ffff:10.0.0.1", "10.0.0.1", true},
  };
  for (const auto& [text, address, inside] : cases) {
    const auto network = Network::parse(text);
    ASSERT_TRUE(network) << text;
    EXPECT_EQ(network->contains(asio::ip::make_address(address)), inside) << text << " " << address;
  }
}

TEST(Address, bad_networks_are_refused) {
  for (const char* text :
       {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8", "::/129",
        "example.com", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/0x8", "::ffff:0.0.0.0/90"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(Address, networks_that_cover_the_same_addresses_are_equal) {
  EXPECT_EQ(*Network::parse("10.1.2.3/8"), *Network::parse("10.0.0.0/8"));
  EXPECT_EQ(*Network::parse("::ffff:10.0.0.0/104"), *Network::parse("10.0.0.0/8"));
  EXPECT_FALSE(*Network::parse("0.0.0.0/0") == *Network::parse("::/0"));
}

TEST(Address, urls_are_taken_apart) {
  const std::pair<const char*, Url> cases[] = {
      {"http://example.com", {"http", "example.com", 80, "/"}},
      {"HTTPS://example.com/", {"https", "example.com", 443, "/"}},
      {"http://127.0.0.1:5000", {"http", "127.0.0.1", 5000, "/"}},
      {"http://[::1]:5000/a/b?c=d/e", {"http", "::1", 5000, "/a/b?c=d/e"}},
      {"ws://h/x", {"ws", "h", 80, "/x"}},
      {"wss://h:8081/link", {"wss", "h", 8081, "/link"}},
      {"https://h?q=1", {"https", "h", 443, "/?q=1"}},
      {"http://h/a%20b//..", {"http", "h", 80, "/a%20b//.."}},
  };
  for (const auto& [text, expected] : cases) {
    const auto url = parse_url(text);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(*url, expected) << text;
  }
  EXPECT_TRUE(parse_url("wss://h")->is_tls());
  EXPECT_FALSE(parse_url("ws://h")->is_tls());
}

TEST(Address, bad_urls_are_refused) {
  for (const char* text : {"", "example.com", "ftp://h", "http:/h", "http://", "http:///x", "http://u:p@h/",
                           "http://h:x/", "http://h:/", "http://h:0x50", "http://h:99999", "http://h/#f",
                           "http://h/ x", "http://h\r\n", "http://[::1", "http://h\\x", "://h"})
    EXPECT_FALSE(parse_url(text)) << text;
}

}  // namespace
}  // namespace rockdove::net
