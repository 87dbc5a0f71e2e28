#include "http/hop_by_hop.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace rockdove::http {
namespace {

// Naming these in Connection is an attack: it would take from the upstream what the edge has seen.
constexpr std::array<std::string_view, 7> end_to_end{
    "content-length", "content-type", "host", "authorization", "cookie", "trailer", "x-forwarded-for"};

/// By the name's length first: most are of another.
bool is_hop_by_hop(std::string_view name) {
  switch (name.size()) {
    case 2: return iequals(name, "te");
    case 7: return iequals(name, "upgrade");
    case 10: return iequals(name, "connection") || iequals(name, "keep-alive");
    case 16: return iequals(name, "proxy-connection");
    case 17: return iequals(name, "transfer-encoding");
    default: return false;
  }
}

bool is_among(const auto& names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view each) { return iequals(each, name); });
}

/// Adds to `named` what a Connection field takes away besides what goes in any case.
void add_named(std::string_view options, std::vector<std::string_view>& named) {
  while (!options.empty()) {
    const std::size_t comma = options.find(',');
    const std::string_view name = trim(options.substr(0, comma));
    options = comma == options.npos ? std::string_view() : options.substr(comma + 1);
    const bool is_usual = name.empty() || iequals(name, "close") || is_hop_by_hop(name);
    if (!is_usual && !is_among(end_to_end, name)) named.push_back(name);
  }
}

}  // namespace

void remove_hop_by_hop(Fields& fields) {
  bool is_clean = true;
  std::vector<std::string_view> named;
  for (const auto [name, value] : fields) {
    if (!is_hop_by_hop(name)) continue;
    is_clean = false;
    if (iequals(name, "connection")) add_named(value, named);
  }
  if (is_clean) return;
  const bool wants_trailers = fields.has_token("te", "trailers");
  fields.remove_if(
      [&](const Fields::Field& field) { return is_hop_by_hop(field.name) || is_among(named, field.name); });
  if (wants_trailers) fields.add("TE", "trailers");
}

}  // namespace rockdove::http
