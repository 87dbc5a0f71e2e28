#include "egress/address_rules.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace rockdove::egress {
namespace {

struct Range {
  std::string_view network, name;
};

// The first one that fits counts.
constexpr std::array ranges{
    Range{"169.254.169.254", "metadata"},  // of AWS, Google, Azure and others
    Range{"100.100.100.200", "metadata"},  // of Alibaba
    Range{"168.63.129.16", "metadata"},    // of Azure, within a public range
    Range{"fd00:ec2::/32", "metadata"},    // of AWS
    Range{"0.0.0.0/8", "this network"},
    Range{"10.0.0.0/8", "private"},
    Range{"100.64.0.0/10", "carrier-grade NAT"},
    Range{"127.0.0.0/8", "loopback"},
    Range{"169.254.0.0/16", "link-local"},
    Range{"172.16.0.0/12", "private"},
    Range{"192.0.0.0/24", "protocol assignments"},
    Range{"192.0.2.0/24", "documentation"},
    Range{"192.88.99.0/24", "6to4 relay"},
    Range{"192.168.0.0/16", "private"},
    Range{"198.18.0.0/15", "benchmarking"},
    Range{"198.51.100.0/24", "documentation"},
    Range{"203.0.113.0/24", "documentation"},
    Range{"224.0.0.0/4", "multicast"},
    Range{"255.255.255.255", "broadcast"},
    Range{"240.0.0.0/4", "reserved"},
    Range{"::", "unspecified"},
    Range{"::1", "loopback"},
    Range{"::/96", "IPv4-compatible"},
    Range{"64:ff9b:1::/48", "local NAT64"},
    Range{"100::/64", "discard"},
    Range{"2001::/32", "Teredo"},
    Range{"2001::/23", "protocol assignments"},
    Range{"2001:db8::/32", "documentation"},
    Range{"2002::/16", "6to4"},
    Range{"3fff::/20", "documentation"},
    Range{"fc00::/7", "private"},
    Range{"fe80::/10", "link-local"},
    Range{"fec0::/10", "site-local"},
    Range{"ff00::/8", "multicast"},
};

struct Parsed {
  net::Network network;
  std::string_view name;
};

const std::vector<Parsed>& parsed_ranges() {
  static const std::vector<Parsed> all = [] {
    std::vector<Parsed> parsed;
    for (const Range& each : ranges) parsed.push_back({net::Network::parse(each.network).value(), each.name});
    return parsed;
  }();
  return all;
}

/// The IPv4 address that the last four bytes are, if `address` is a NAT64 one (64:ff9b::/96, RFC 6052).
std::optional<net::Address> translated(const net::Address& address) {
  constexpr std::array<unsigned char, 12> prefix{0x00, 0x64, 0xff, 0x9b};
  if (!address.is_v6()) return std::nullopt;
  const auto bytes = address.to_v6().to_bytes();
  if (!std::equal(prefix.begin(), prefix.end(), bytes.begin())) return std::nullopt;
  return net::asio::ip::address_v4({bytes[12], bytes[13], bytes[14], bytes[15]});
}

bool is_global_unicast(const net::Address& address) {
  if (address.is_v4() || address.to_v6().is_v4_mapped()) return true;
  return (address.to_v6().to_bytes()[0] & 0xe0) == 0x20;  // 2000::/3 (RFC 4291 section 2.4)
}

}  // namespace

std::string_view special_range(const net::Address& address) {
  if (const auto inner = translated(address)) return special_range(*inner);
  for (const Parsed& each : parsed_ranges())
    if (each.network.contains(address)) return each.name;
  return is_global_unicast(address) ? std::string_view{} : "not global";
}

bool is_permitted(const net::Address& address, const std::vector<net::Network>& networks) {
  if (special_range(address).empty()) return true;
  return std::ranges::any_of(networks, [&](const net::Network& each) { return each.contains(address); });
}

}  // namespace rockdove::egress
