#include "egress/host_pattern.hpp"

#include "net/asio.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace rockdove::egress {
namespace {

constexpr std::uint16_t default_port = 443;

}  // namespace

std::string canonical_host(std::string_view host) {
  std::string result(host);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  while (result.size() > 1 && result.ends_with('.')) result.pop_back();
  boost::system::error_code is_name;
  const net::Address address = net::asio::ip::make_address(result, is_name);
  return is_name ? result : address.to_string();
}

Result<HostPattern> HostPattern::parse(std::string_view text) {
  HostPattern pattern;
  if (text.starts_with("*.")) {
    pattern.kind_ = Kind::below;
    text.remove_prefix(2);
  } else if (text.starts_with('*')) {
    // What is left, ":port", needs a host before it to be read.
    pattern.kind_ = Kind::every;
    const auto port = parse_host_port("every" + std::string(text.substr(1)), default_port);
    const bool is_port = port && port->host == "every" && port->port != 0;
    if (!is_port) return Error::malformed;
    pattern.port_ = port->port;
    return pattern;
  }
  const auto parsed = parse_host_port(text, default_port);
  if (!parsed || parsed->port == 0) return Error::malformed;
  pattern.host_ = canonical_host(parsed->host);
  const bool is_below = pattern.kind_ == Kind::below;
  if (pattern.host_.starts_with('.') || (is_below && pattern.host_.find(':') != std::string::npos))
    return Error::malformed;
  if (is_below) pattern.host_.insert(0, 1, '.');
  pattern.port_ = parsed->port;
  return pattern;
}

bool HostPattern::matches(const HostPort& target) const {
  if (target.port != port_) return false;
  switch (kind_) {
    case Kind::every: return true;
    case Kind::exact: return target.host == host_;
    case Kind::below: return target.host.size() > host_.size() && target.host.ends_with(host_);
  }
  return false;
}

}  // namespace rockdove::egress
