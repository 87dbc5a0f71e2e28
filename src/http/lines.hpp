// What the head parser and the chunked decoder share: byte classes, and cutting field lines.
#pragma once

#include "base/error.hpp"
#include "http/fields.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rockdove::http::detail {

enum ByteClass : std::uint8_t {
  token_byte = 1,   ///< tchar (RFC 9110 section 5.6.2)
  target_byte = 2,  ///< visible, not '#'; 0x80..0xff too, since callers do send raw UTF-8
  host_byte = 4,    ///< unreserved, sub-delims and '%' (RFC 3986 section 3.2.2)
};

constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view host_marks = "-._~!$&'()*+,;=%";
  std::array<std::uint8_t, 256> classes{};
  for (unsigned byte = 0; byte < classes.size(); ++byte) {
    const char c = static_cast<char>(byte);
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alphanumeric || (byte && token_marks.find(c) != token_marks.npos)) classes[byte] |= token_byte;
    if (byte > 0x20 && byte != 0x7f && c != '#') classes[byte] |= target_byte;
    if (alphanumeric || (byte && host_marks.find(c) != host_marks.npos)) classes[byte] |= host_byte;
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> byte_classes = make_byte_classes();

inline bool is(char c, ByteClass wanted) noexcept {
  return (byte_classes[static_cast<unsigned char>(c)] & wanted) != 0;
}

/// The length of the longest prefix of `text` made of `wanted` bytes.
inline std::size_t span_of(std::string_view text, ByteClass wanted) noexcept {
  std::size_t size = 0;
  while (size < text.size() && is(text[size], wanted)) ++size;
  return size;
}

inline bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// The first control byte (below 0x20, or 0x7f) at or after `from`, or text.size(). Eight bytes at a
/// time: every byte of a head comes through here twice.
inline std::size_t find_control(std::string_view text, std::size_t from) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  for (; from + 8 <= text.size(); from += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + from, sizeof word);
    const std::uint64_t is_delete = word ^ (ones * 0x7f);  // a zero byte where `word` has 0x7f
    // The classic "has a byte less than n": exact as a whole, and in its lowest hit.
    const std::uint64_t hits =
        (((word - ones * 0x20) & ~word) | ((is_delete - ones) & ~is_delete)) & (ones * 0x80);
    if (hits == 0) continue;
    if constexpr (std::endian::native == std::endian::little)
      return from + static_cast<std::size_t>(std::countr_zero(hits)) / 8;
    break;
  }
  while (from < text.size() && !is_control(text[from])) ++from;
  return from;
}

inline bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

/// The offset just after the first empty line of `bytes` whose first line begins at `start`; 0 if more
/// bytes are needed. malformed at the first control byte that is neither TAB nor part of CRLF. Looks at
/// nothing before `scanned`, and advances it.
Result<std::size_t> find_section_end(std::string_view bytes, std::size_t start, std::size_t& scanned);

/// Cuts the field line at the start of `rest`, CRLF included, off. False if it is not a well-formed one;
/// the empty line at a section's end is none either.
bool cut_field(std::string_view& rest, Fields::Field& field) noexcept;

/// `text` as digits to base 10, nothing else (1*DIGIT). False if there are none or they overflow.
bool parse_decimal(std::string_view text, std::uint64_t& value) noexcept;

}  // namespace rockdove::http::detail
