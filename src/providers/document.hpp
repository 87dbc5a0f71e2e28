// A JSON or XML text and what stands at places in it.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::providers {

inline constexpr std::size_t document_bytes_max = 4 * 1024 * 1024;  ///< a larger text has no places
inline constexpr std::size_t document_depth_max = 32;               ///< nor has one nested deeper
/// Nor has JSON with more of , : [ and { than this, in strings or not. A tree takes many times the bytes of
/// its text: without this a stranger's 4 MiB of "1,1,1,…" would take 100 MiB and hold up the loop for 150 ms.
inline constexpr std::size_t document_values_max = 200'000;

/// Parses when first asked, JSON by its grammar and XML as far as xml_text() goes. `text` has to outlive it.
class Document {
 public:
  explicit Document(std::string_view text) : text_(text) {}

  /// The text, number or truth value at a JSON pointer (RFC 6901), as text. Numbers beyond 64 bits and
  /// fractions are absent: two of them could look like one.
  std::optional<std::string> json(std::string_view pointer) const;
  /// The same in every element of a list: a reference token "*" of the pointer stands for all of them. Not
  /// empty: nothing if there is no list or none with elements, or one element has no text there.
  std::optional<std::vector<std::string>> every(std::string_view pointer) const;
  /// True if anything but null stands there.
  bool has_json(std::string_view pointer) const;
  /// The text of an element below the root.
  std::optional<std::string> xml(std::string_view path) const;
  /// Whichever of both the text is.
  std::optional<std::string> either(std::string_view pointer) const;
  bool has_either(std::string_view pointer) const;

 private:
  bool looks_like_xml() const;
  const boost::json::value* find(std::string_view pointer) const;

  std::string_view text_;
  mutable bool parsed_ = false;
  mutable std::optional<boost::json::value> tree_;
};

/// True if the pointer has a reference token "*".
bool has_every(std::string_view pointer);

/// The text of the first element at `path` ("/A" is a child of the root, whatever the root is called),
/// character references and CDATA resolved. Nothing if there is none, it has elements in it, or the text up
/// to its end is not well-formed: mismatched tags, a document type, deeper than document_depth_max.
std::optional<std::string> xml_text(std::string_view document, std::string_view path);

}  // namespace rockdove::providers
