// Which addresses no call may go to unless an operator says so: all that are not on the public internet.
#pragma once

#include "net/address.hpp"

#include <string_view>
#include <vector>

namespace rockdove::egress {

/// What is special about `address` by the registries of RFC 6890 ("loopback", "private", "link-local", …),
/// and about the metadata services of clouds; empty for a public unicast address. An IPv4 address inside an
/// IPv6 one (mapped, RFC 4291 section 2.5.5.2; NAT64, RFC 6052) is judged by itself; 6to4, Teredo and all of
/// IPv6 outside of 2000::/3 are special.
std::string_view special_range(const net::Address& address);

/// True for a public address, and for one within the `networks` that an operator has opened.
bool is_permitted(const net::Address& address, const std::vector<net::Network>& networks);

}  // namespace rockdove::egress
