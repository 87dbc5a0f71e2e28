#include "egress/target.hpp"

#include "egress/host_pattern.hpp"
#include "net/address.hpp"

#include <algorithm>

namespace rockdove::egress {
namespace {

constexpr std::size_t name_max = 63;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_max && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

Result<Target> parse_named(std::string_view target) {
  target.remove_prefix(1);
  const auto end = std::min(target.find_first_of("/?"), target.size());
  if (!is_name(target.substr(0, end))) return Error::destination_unknown;
  Target named;
  named.form = Target::Form::named;
  named.name = target.substr(0, end);
  named.path = target.substr(end);
  if (!named.path.starts_with('/')) named.path.insert(0, 1, '/');
  return named;
}

}  // namespace

Result<Target> parse_target(std::string_view method, std::string_view target) {
  Target result;
  if (method == "CONNECT") {
    const auto address = parse_host_port(target);
    if (!address || address->port == 0) return Error::malformed;
    result.address = {canonical_host(address->host), address->port};
    return result;
  }
  if (target.starts_with('/')) return parse_named(target);
  auto url = net::parse_url(target);
  if (!url || url->port == 0 || url->scheme.starts_with("ws")) return Error::malformed;
  result.form = Target::Form::absolute;
  result.address = {canonical_host(url->host), url->port};
  result.tls = url->is_tls();
  result.path = std::move(url->path);
  return result;
}

bool has_dot_segment(std::string_view path) {
  std::string plain(without_query(path));
  std::ranges::transform(plain, plain.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const auto& [escape, meaning] : {std::pair("%2e", "."), std::pair("%2f", "/"), std::pair("%5c", "/"),
                                        std::pair("\\", "/"), std::pair(";", "/")})
    for (auto at = plain.find(escape); at != plain.npos; at = plain.find(escape, at))
      plain.replace(at, std::string_view(escape).size(), meaning);
  plain += '/';
  return plain.find("/./") != plain.npos || plain.find("/../") != plain.npos;
}

std::string_view without_query(std::string_view path) {
  return path.substr(0, path.find('?'));
}

}  // namespace rockdove::egress
