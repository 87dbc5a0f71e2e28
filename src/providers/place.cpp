#include "providers/place.hpp"

#include "base/text.hpp"
#include "http/parser.hpp"

#include <array>
#include <utility>

namespace rockdove::providers {
namespace {

using From = Place::From;

constexpr std::array<std::pair<std::string_view, From>, 6> prefixes{{{"header:", From::header},
                                                                     {"query:", From::query},
                                                                     {"form:", From::form},
                                                                     {"json:", From::json},
                                                                     {"xml:", From::xml},
                                                                     {"opened:", From::opened}}};

/// RFC 6901 section 3.
bool is_pointer(std::string_view text) {
  if (!text.starts_with('/')) return false;
  for (std::size_t at = text.find('~'); at != text.npos; at = text.find('~', at + 1))
    if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) return false;
  return true;
}

bool is_name(From from, std::string_view name) {
  if (from == From::header) return http::is_token(name);
  if (from == From::query || from == From::form) return !name.empty();
  return is_pointer(name);
}

}  // namespace

std::optional<Place> parse_place(std::string_view text) {
  if (text == "method") return Place{From::method, {}};
  if (text == "encrypted") return Place{From::encrypted, {}};
  for (const auto& [prefix, from] : prefixes) {
    if (!text.starts_with(prefix)) continue;
    const std::string_view name = text.substr(prefix.size());
    if (!is_name(from, name)) return std::nullopt;
    return Place{from, std::string(name)};
  }
  return std::nullopt;
}

std::string to_text(const Place& place) {
  if (place.from == From::method) return "method";
  if (place.from == From::encrypted) return "encrypted";
  for (const auto& [prefix, from] : prefixes)
    if (from == place.from) return std::string(prefix) + place.name;
  return {};
}

std::optional<Condition> parse_condition(std::string_view text) {
  Condition condition;
  std::string_view where = text;
  if (const auto sign = text.find('='); sign != text.npos) {
    condition.negated = sign > 0 && text[sign - 1] == '!';
    where = text.substr(0, sign - (condition.negated ? 1 : 0));
    condition.value = std::string(trim(text.substr(sign + 1)));
  } else if (text.starts_with('!')) {
    condition.negated = true;
    where.remove_prefix(1);
  }
  auto place = parse_place(trim(where));
  if (!place) return std::nullopt;
  condition.place = std::move(*place);
  return condition;
}

std::string to_text(const Condition& condition) {
  const std::string place = to_text(condition.place);
  if (!condition.value) return (condition.negated ? "!" : "") + place;
  return place + (condition.negated ? " != " : " = ") + *condition.value;
}

}  // namespace rockdove::providers
