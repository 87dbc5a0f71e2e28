#include "http/lines.hpp"

#include "http/parser.hpp"

#include <charconv>

namespace rockdove::http {

bool is_token(std::string_view text) noexcept {
  return !text.empty() && detail::span_of(text, detail::token_byte) == text.size();
}

bool is_field_value(std::string_view value) noexcept {
  if (value.empty()) return true;
  if (detail::is_blank(value.front()) || detail::is_blank(value.back())) return false;
  std::size_t at = detail::find_control(value, 0);
  while (at < value.size() && value[at] == '\t') at = detail::find_control(value, at + 1);
  return at == value.size();
}

namespace detail {

Result<std::size_t> find_section_end(std::string_view bytes, std::size_t start, std::size_t& scanned) {
  if (scanned < start) scanned = start;
  for (std::size_t at = find_control(bytes, scanned); at < bytes.size(); at = find_control(bytes, scanned)) {
    if (bytes[at] == '\r') {
      scanned = at;  // a CR at the very end is judged once the next byte is here
      if (at + 1 == bytes.size()) return 0;
      if (bytes[at + 1] != '\n') return Error::malformed;
      scanned = at + 2;
      // Every LF before this one was checked to follow a CR, so an LF here ends a line.
      if (at == start || bytes[at - 1] == '\n') return scanned;
    } else if (bytes[at] == '\t') {
      scanned = at + 1;
    } else {
      return Error::malformed;
    }
  }
  scanned = bytes.size();
  return 0;
}

bool cut_field(std::string_view& rest, Fields::Field& field) noexcept {
  const std::size_t colon = span_of(rest, token_byte);
  if (colon == 0 || colon == rest.size() || rest[colon] != ':') return false;
  std::size_t begin = colon + 1;
  while (begin < rest.size() && is_blank(rest[begin])) ++begin;
  std::size_t end = find_control(rest, begin);
  while (end < rest.size() && rest[end] == '\t') end = find_control(rest, end + 1);
  if (end + 1 >= rest.size() || rest[end] != '\r' || rest[end + 1] != '\n') return false;
  const std::size_t next = end + 2;
  while (end > begin && is_blank(rest[end - 1])) --end;
  field = {rest.substr(0, colon), rest.substr(begin, end - begin)};
  rest.remove_prefix(next);
  return true;
}

bool parse_decimal(std::string_view text, std::uint64_t& value) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);  // takes no sign for an unsigned type
  return error == std::errc{} && stop == end;
}

}  // namespace detail
}  // namespace rockdove::http
