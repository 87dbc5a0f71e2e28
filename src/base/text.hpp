// Bytes from outside that are to be shown as text: to programs as UTF-8, to people without tricks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rockdove {

/// Without the spaces and tabs at both ends (OWS, RFC 9110 section 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The size of the UTF-8 sequence that `text`, which is not empty, begins with (RFC 3629 section 4); 0 if it
/// begins with none: no overlong forms, no surrogates.
std::size_t utf8_sequence_size(std::string_view text) noexcept;

/// True for well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates.
bool is_utf8(std::string_view bytes) noexcept;

/// The longest beginning of at most `limit` bytes that does not cut a character in two. `text` is UTF-8.
std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept;

/// The same text with every byte that is not UTF-8 replaced by U+FFFD.
std::string to_utf8(std::string_view bytes);

enum class Lines {
  escape,  ///< line feeds and tabs are escaped too: the result is one line
  keep,
};

/// What may go to a terminal: UTF-8 in which control characters (C0, DEL, C1) and those that change the
/// order or hide the place of others (bidirectional, zero-width, line separators) are written as \uXXXX.
/// JSON text stays the same JSON with Lines::keep, since such characters stand only in its strings.
std::string printable(std::string_view bytes, Lines lines);

/// How many columns of a terminal printable text takes: East Asian wide characters take two.
std::size_t display_width(std::string_view text) noexcept;

}  // namespace rockdove
