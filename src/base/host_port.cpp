#include "base/host_port.hpp"

#include <algorithm>
#include <charconv>

namespace rockdove {
namespace {

constexpr std::size_t host_max = 253;  // RFC 1035 section 2.3.4, in text form

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= host_max && std::ranges::all_of(host, [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '-' || c == '_';
  });
}

// Shape only; whether it is an address is for the resolver to say. '%' brings a zone (RFC 6874).
bool is_ipv6(std::string_view host) {
  return host.find(':') != host.npos && host.size() <= host_max && std::ranges::all_of(host, [](char c) {
           return is_alphanumeric(c) || c == ':' || c == '.' || c == '%';
         });
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text, std::optional<std::uint16_t> default_port) {
  HostPort result;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos || !is_ipv6(text.substr(1, close - 1))) return Error::malformed;
    result.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    if (!is_host(text.substr(0, colon))) return Error::malformed;
    result.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (rest.empty() && default_port) {
    result.port = *default_port;
    return result;
  }
  if (rest.size() < 2 || rest.size() > 6 || rest.front() != ':') return Error::malformed;
  const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), result.port);
  if (error != std::errc{} || end != rest.data() + rest.size()) return Error::malformed;
  return result;
}

std::string to_string(const HostPort& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace rockdove
