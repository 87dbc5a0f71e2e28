#include "egress/web_page.hpp"

#include "base/host_port.hpp"
#include "egress/host_pattern.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <string_view>

namespace rockdove::egress {
namespace {

constexpr std::string_view marks[] = {"Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Dest"};

/// What nobody but this machine itself decides about.
bool is_own(std::string_view value, const net::Address& listen) {
  const auto host = parse_host_port(value, 80);
  if (!host) return false;
  boost::system::error_code is_name;
  const net::Address address = net::asio::ip::make_address(host->host, is_name);
  if (is_name) return canonical_host(host->host) == "localhost";
  return address.is_loopback() || (address == listen && !address.is_unspecified());
}

}  // namespace

bool is_from_web_page(const http::Request& request, const net::Address& listen) {
  if (!request.target.starts_with('/')) return false;
  if (std::ranges::any_of(marks, [&](std::string_view mark) { return request.fields.contains(mark); }))
    return true;
  const auto host = request.fields.get("Host");
  return host && !is_own(*host, listen);
}

}  // namespace rockdove::egress
