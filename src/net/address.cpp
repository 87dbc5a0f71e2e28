#include "net/address.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

namespace rockdove::net {
namespace {

std::optional<Address> parse_address(std::string_view text) {
  boost::system::error_code error;
  const Address address = asio::ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return address;
}

Address unmapped(const Address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return address;
}

std::array<unsigned char, 16> bytes_of(const Address& address) {
  std::array<unsigned char, 16> bytes{};
  if (address.is_v4()) std::ranges::copy(address.to_v4().to_bytes(), bytes.begin());
  else bytes = address.to_v6().to_bytes();
  return bytes;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

}  // namespace

Result<Endpoint> parse_listen_address(std::string_view text) {
  const bool any = text.starts_with(':');
  const auto parsed = parse_host_port(any ? "[::]" + std::string(text) : std::string(text));
  if (!parsed) return parsed.error();
  const auto address = parse_address(parsed->host);
  if (!address) return Error::malformed;
  return Endpoint(*address, parsed->port);
}

std::string to_string(const Endpoint& endpoint) {
  return rockdove::to_string(HostPort{endpoint.address().to_string(), endpoint.port()});
}

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address || (address->is_v6() && address->to_v6().scope_id() != 0)) return Error::malformed;
  unsigned prefix = address->is_v4() ? 32 : 128;
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    unsigned given = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), given);
    if (error != std::errc{} || end != digits.data() + digits.size() || given > prefix)
      return Error::malformed;
    prefix = given;
  }
  Network network;
  const Address inner = unmapped(*address);
  const bool mapped = inner.is_v4() && address->is_v6();
  if (mapped && prefix < 96) return Error::malformed;  // half inside the IPv4 space: surely not meant
  network.v4_ = inner.is_v4();
  network.prefix_ = mapped ? prefix - 96 : prefix;
  network.bytes_ = bytes_of(inner);
  for (unsigned bit = network.prefix_; bit < 128; ++bit)
    network.bytes_[bit / 8] &= static_cast<unsigned char>(~(0x80U >> (bit % 8)));
  return network;
}

bool Network::contains(const Address& address) const {
  const Address inner = unmapped(address);
  if (inner.is_v4() != v4_) return false;
  const Bytes other = bytes_of(inner);
  const unsigned whole = prefix_ / 8;
  if (!std::equal(bytes_.begin(), bytes_.begin() + whole, other.begin())) return false;
  const unsigned rest = prefix_ % 8;
  return rest == 0 || ((bytes_[whole] ^ other[whole]) & (0xFFU << (8 - rest)) & 0xFF) == 0;
}

Result<Url> parse_url(std::string_view text) {
  const auto is_bad = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F || c == '#'; };
  if (std::ranges::any_of(text, is_bad)) return Error::malformed;
  const auto colon = text.find("://");
  if (colon == text.npos) return Error::malformed;
  Url url;
  url.scheme = lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "wss")
    return Error::malformed;
  const std::string_view rest = text.substr(colon + 3);
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  auto authority = parse_host_port(rest.substr(0, end), url.is_tls() ? 443 : 80);
  if (!authority) return authority.error();
  url.host = std::move(authority->host);
  url.port = authority->port;
  url.path = rest.substr(end);
  if (!url.path.starts_with('/')) url.path.insert(0, 1, '/');
  return url;
}

std::string to_string(const Address& address) {
  if (!address.is_v4()) return address.to_string();
  char text[sizeof "255.255.255.255"];
  char* out = text;
  for (const unsigned char byte : address.to_v4().to_bytes()) {
    if (out != text) *out++ = '.';
    out = std::to_chars(out, std::end(text), byte).ptr;
  }
  return {text, out};
}

}  // namespace rockdove::net
