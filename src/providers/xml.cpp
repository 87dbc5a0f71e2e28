// xml_text(): the little XML that WeChat's messages are made of.
#include "base/text.hpp"
#include "providers/document.hpp"

#include <charconv>
#include <cstdint>
#include <vector>

namespace rockdove::providers {
namespace {

constexpr std::size_t reference_max = 12;  // "&#x10FFFF;" and room

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' ||
        std::string_view("<>&\"'/=!?").find(c) != std::string_view::npos)
      return false;
  return true;
}

bool append_utf8(std::string& to, std::uint32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  if (code < 0x80) {
    to += static_cast<char>(code);
    return true;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  to += static_cast<char>((0xFF00 >> (more + 1) & 0xFF) | code >> 6 * more);
  for (int i = more - 1; i >= 0; --i) to += static_cast<char>(0x80 | (code >> 6 * i & 0x3F));
  return true;
}

/// Reads one text from its start. Every function returns false where it is not well-formed.
class Scanner {
 public:
  Scanner(std::string_view document, std::string_view path) : rest_(document) {
    while (path.starts_with('/')) {
      path.remove_prefix(1);
      wanted_.push_back(path.substr(0, path.find('/')));
      path.remove_prefix(wanted_.back().size());
    }
  }

  std::optional<std::string> run() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    while (!rest_.empty() && !found_) {
      const bool ok = rest_.front() == '<' ? markup() : text();
      if (!ok) return std::nullopt;
    }
    return found_ ? std::optional(std::move(text_)) : std::nullopt;
  }

 private:
  /// The open elements are the root and then `wanted_`, no more and no fewer.
  bool is_target() const {
    return open_.size() == wanted_.size() + 1 && matched_ == wanted_.size() && !wanted_.empty();
  }

  bool skip_past(std::string_view end, std::string_view* inside = nullptr) {
    const auto at = rest_.find(end);
    if (at == rest_.npos) return false;
    if (inside) *inside = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return true;
  }

  bool markup() {
    constexpr std::string_view cdata = "<![CDATA[";
    if (rest_.starts_with("<?")) return skip_past("?>");
    if (rest_.starts_with("<!--")) return rest_.remove_prefix(4), skip_past("-->");
    if (rest_.starts_with(cdata)) {
      std::string_view inside;
      rest_.remove_prefix(cdata.size());
      if (open_.empty() || !skip_past("]]>", &inside)) return false;
      if (is_target()) text_ += inside;
      return true;
    }
    return rest_.starts_with("</") ? end_tag() : start_tag();  // "<!" is no name: no document types
  }

  bool start_tag() {
    // The end of the tag is a '>' outside the quotes of attributes.
    std::size_t end = 1;
    for (char quote = 0; end < rest_.size() && (quote || rest_[end] != '>'); ++end) {
      if (quote ? rest_[end] == quote : rest_[end] == '"' || rest_[end] == '\'')
        quote = quote ? 0 : rest_[end];
    }
    if (end >= rest_.size() || open_.size() == document_depth_max || is_target()) return false;
    std::string_view tag = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    const bool is_empty = tag.ends_with('/');
    if (is_empty) tag.remove_suffix(1);
    const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n"));
    if (!is_name(name) || (open_.empty() && root_seen_)) return false;
    root_seen_ = true;
    const std::size_t depth = open_.size();  // of its parents
    open_.push_back(name);
    if (depth > 0 && matched_ == depth - 1 && matched_ < wanted_.size() && wanted_[matched_] == name)
      ++matched_;
    return is_empty ? close() : true;
  }

  bool end_tag() {
    std::string_view name;
    rest_.remove_prefix(2);
    if (!skip_past(">", &name)) return false;
    while (!name.empty() && static_cast<unsigned char>(name.back()) <= ' ') name.remove_suffix(1);
    return !open_.empty() && open_.back() == name && close();
  }

  bool close() {
    found_ = is_target();
    open_.pop_back();
    if (matched_ + 1 > open_.size()) matched_ = open_.empty() ? 0 : open_.size() - 1;
    return true;
  }

  bool text() {
    std::string_view piece = rest_.substr(0, rest_.find('<'));
    rest_.remove_prefix(piece.size());
    if (open_.empty()) return piece.find_first_not_of(" \t\r\n") == piece.npos;
    if (!is_target()) return true;
    for (auto mark = piece.find('&'); mark != piece.npos; mark = piece.find('&')) {
      text_ += piece.substr(0, mark);
      const auto end = piece.substr(mark, reference_max).find(';');
      if (end == piece.npos || !reference(piece.substr(mark + 1, end - 1))) return false;
      piece.remove_prefix(mark + end + 1);
    }
    text_ += piece;
    return true;
  }

  bool reference(std::string_view name) {
    if (!name.starts_with('#')) {
      const char c = name == "amp"    ? '&'
                     : name == "lt"   ? '<'
                     : name == "gt"   ? '>'
                     : name == "quot" ? '"'
                     : name == "apos" ? '\''
                                      : 0;
      if (c) text_ += c;
      return c != 0;
    }
    const bool is_hex = name.starts_with("#x");
    name.remove_prefix(is_hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, is_hex ? 16 : 10);
    return error == std::errc{} && end == name.data() + name.size() && append_utf8(text_, code);
  }

  std::string_view rest_;
  std::vector<std::string_view> wanted_, open_;
  std::size_t matched_ = 0;  // how many of wanted_ the open elements below the root are, from the first on
  std::string text_;
  bool found_ = false, root_seen_ = false;
};

}  // namespace

std::optional<std::string> xml_text(std::string_view document, std::string_view path) {
  if (document.size() > document_bytes_max) return std::nullopt;
  return Scanner(document, path).run();
}

}  // namespace rockdove::providers
