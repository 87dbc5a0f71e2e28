#include "egress/web_page.hpp"

#include "egress/host_pattern.hpp"

#include <boost/asio/ip/address.hpp>

#include <string_view>

namespace rockdove::egress {
namespace {

/// An address, or a name that no public DNS has: "localhost", a container's, "host.docker.internal".
bool is_local_name(std::string_view value) {
  const auto host = parse_host_port(value, 80);
  if (!host) return false;
  boost::system::error_code is_name;
  net::asio::ip::make_address(host->host, is_name);
  if (!is_name || host->host.find('.') == std::string::npos) return true;
  const std::string name = canonical_host(host->host);
  for (const std::string_view ending : {".localhost", ".internal", ".local"})
    if (name.ends_with(ending)) return true;
  return false;
}

}  // namespace

bool is_from_web_page(const http::Request& request) {
  if (!request.target.starts_with('/')) return false;
  if (request.fields.contains("Origin") || request.fields.contains("Sec-Fetch-Site")) return true;
  const auto host = request.fields.get("Host");
  return host && !is_local_name(*host);
}

}  // namespace rockdove::egress
