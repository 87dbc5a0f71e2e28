#include "egress/address_rules.hpp"

#include <gtest/gtest.h>
#include <boost/asio/ip/address.hpp>

#include <string>

namespace rockdove::egress {
namespace {

net::Address address(const std::string& text) {
  return net::asio::ip::make_address(text);
}

struct Case {
  const char* text;
  std::string_view range;
};

TEST(AddressRules, public_addresses_have_nothing_special) {
  for (const char* text :
       {"1.1.1.1",        "8.8.8.8",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",    "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0",      "191.255.255.255", "192.0.1.0",       "192.0.3.0",
        "192.88.98.255",  "192.167.255.255", "192.169.0.0",     "198.17.255.255",  "198.20.0.0",
        "198.51.99.255",  "198.51.101.0",    "203.0.112.255",   "203.0.114.0",     "223.255.255.255",
        "168.63.129.15",  "168.63.129.17",   "2000::1",         "2001:200::1",     "2606:4700:4700::1111",
        "2400:3200::1",   "2620:fe::9",      "3ffe::1",         "::ffff:8.8.8.8",  "64:ff9b::808:808"})
    EXPECT_EQ(special_range(address(text)), "") << text;
}

TEST(AddressRules, every_special_range_is_known_at_both_ends) {
  const Case cases[] = {
      {"0.0.0.0", "this network"},
      {"0.255.255.255", "this network"},
      {"10.0.0.0", "private"},
      {"10.255.255.255", "private"},
      {"100.64.0.0", "carrier-grade NAT"},
      {"100.127.255.255", "carrier-grade NAT"},
      {"127.0.0.0", "loopback"},
      {"127.0.0.1", "loopback"},
      {"127.255.255.255", "loopback"},
      {"169.254.0.0", "link-local"},
      {"169.254.255.255", "link-local"},
      {"172.16.0.0", "private"},
      {"172.31.255.255", "private"},
      {"192.0.0.0", "protocol assignments"},
      {"192.0.0.192", "protocol assignments"},
      {"192.0.0.255", "protocol assignments"},
      {"192.0.2.0", "documentation"},
      {"192.0.2.255", "documentation"},
      {"192.88.99.1", "6to4 relay"},
      {"192.168.0.0", "private"},
      {"192.168.255.255", "private"},
      {"198.18.0.0", "benchmarking"},
      {"198.19.255.255", "benchmarking"},
      {"198.51.100.0", "documentation"},
      {"198.51.100.255", "documentation"},
      {"203.0.113.0", "documentation"},
      {"203.0.113.255", "documentation"},
      {"224.0.0.0", "multicast"},
      {"239.255.255.255", "multicast"},
      {"240.0.0.0", "reserved"},
      {"255.255.255.254", "reserved"},
      {"255.255.255.255", "broadcast"},
      {"::", "unspecified"},
      {"::1", "loopback"},
      {"::2", "IPv4-compatible"},
      {"::127.0.0.1", "IPv4-compatible"},
      {"64:ff9b:1::1", "local NAT64"},
      {"100::1", "discard"},
      {"2001::1", "Teredo"},
      {"2001:0:ffff::1", "Teredo"},
      {"2001:1::1", "protocol assignments"},
      {"2001:10::1", "protocol assignments"},
      {"2001:20::1", "protocol assignments"},
      {"2001:1ff:ffff::1", "protocol assignments"},
      {"2001:db8::1", "documentation"},
      {"2002::1", "6to4"},
      {"2002:808:808::1", "6to4"},
      {"2002:7f00:1::1", "6to4"},
      {"3fff::1", "documentation"},
      {"3fff:fff:ffff::1", "documentation"},
      {"fc00::1", "private"},
      {"fdff:ffff::1", "private"},
      {"fe80::1", "link-local"},
      {"fe80::1%2", "link-local"},
      {"febf:ffff::1", "link-local"},
      {"fec0::1", "site-local"},
      {"ff02::1", "multicast"},
      {"4000::1", "not global"},
      {"5f00::1", "not global"},
      {"e000::1", "not global"},
      {"fe00::1", "not global"},
      {"1000::1", "not global"},
  };
  for (const Case& each : cases) EXPECT_EQ(special_range(address(each.text)), each.range) << each.text;
}

TEST(AddressRules, the_metadata_services_of_clouds_are_special) {
  for (const char* text : {"169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"})
    EXPECT_EQ(special_range(address(text)), "metadata") << text;
}

TEST(AddressRules, an_ipv4_address_inside_an_ipv6_one_is_judged_by_itself) {
  const Case cases[] = {
      {"::ffff:127.0.0.1", "loopback"},         {"::ffff:10.1.2.3", "private"},
      {"::ffff:169.254.169.254", "metadata"},   {"::ffff:0.0.0.0", "this network"},
      {"64:ff9b::127.0.0.1", "loopback"},       {"64:ff9b::192.168.1.1", "private"},
      {"64:ff9b::169.254.169.254", "metadata"}, {"64:ff9b::255.255.255.255", "broadcast"},
      {"64:ff9b::1:7f00:1", "not global"},      {"64:ff9c::8.8.8.8", "not global"},
  };
  for (const Case& each : cases) EXPECT_EQ(special_range(address(each.text)), each.range) << each.text;
}

TEST(AddressRules, an_operator_opens_networks_and_nothing_else) {
  const std::vector opened{net::Network::parse("10.1.0.0/16").value(), net::Network::parse("::1").value()};
  for (const char* text : {"8.8.8.8", "10.1.0.1", "10.1.255.255", "::1", "::ffff:10.1.2.3"})
    EXPECT_TRUE(is_permitted(address(text), opened)) << text;
  for (const char* text : {"10.0.0.1", "10.2.0.1", "127.0.0.1", "169.254.169.254", "::2", "fd00::1"})
    EXPECT_FALSE(is_permitted(address(text), opened)) << text;
  EXPECT_FALSE(is_permitted(address("10.1.0.1"), {}));
  EXPECT_TRUE(is_permitted(address("1.1.1.1"), {}));
}

}  // namespace
}  // namespace rockdove::egress
