#include "providers/document.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace rockdove::providers {

namespace json = boost::json;

namespace {
constexpr std::size_t tree_room = 2048, tree_block_max = 64 * 1024;

bool is_small_enough(std::string_view text) {
  if (text.size() <= document_values_max) return true;  // as each value takes a byte at least
  if (text.size() > document_bytes_max) return false;
  const auto is_mark = [](char c) { return c == ',' || c == ':' || c == '[' || c == '{'; };
  return static_cast<std::size_t>(std::ranges::count_if(text, is_mark)) <= document_values_max;
}

std::optional<std::string> text_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::string: return std::string(value.get_string());
    case json::kind::int64: return std::to_string(value.get_int64());
    case json::kind::uint64: return std::to_string(value.get_uint64());
    case json::kind::bool_: return value.get_bool() ? "true" : "false";
    default: return std::nullopt;
  }
}

/// Where the first reference token "*" begins, with its slash.
std::size_t star_in(std::string_view pointer) {
  std::size_t at = pointer.find("/*");
  while (at != pointer.npos && at + 2 < pointer.size() && pointer[at + 2] != '/')
    at = pointer.find("/*", at + 1);
  return at;
}

/// False if one of the texts is not there.
bool gather(const json::value& from, std::string_view pointer, std::vector<std::string>& into) {
  const std::size_t star = star_in(pointer);
  json::error_code error;
  const json::value* found = from.find_pointer(pointer.substr(0, star), error);
  if (!found) return false;
  if (star == pointer.npos) {
    auto text = text_of(*found);
    if (text) into.push_back(std::move(*text));
    return text.has_value();
  }
  const json::array* list = found->if_array();
  if (!list) return false;
  return std::ranges::all_of(*list, [pointer = pointer.substr(star + 2), &into](const json::value& element) {
    return gather(element, pointer, into);
  });
}

}  // namespace

bool has_every(std::string_view pointer) {
  return star_in(pointer) != pointer.npos;
}

bool Document::looks_like_xml() const {
  std::string_view text = text_;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && text[first] == '<';
}

const json::value* Document::find(std::string_view pointer) const {
  if (!parsed_) {
    parsed_ = true;
    json::parse_options options;
    options.max_depth = document_depth_max;
    json::error_code error;
    if (is_small_enough(text_)) {
      // A tree is seldom larger than its text and some room: mostly one block.
      const std::size_t room = std::min(text_.size() + tree_room, tree_block_max);
      auto tree =
          json::parse(text_, error, json::make_shared_resource<json::monotonic_resource>(room), options);
      if (!error) tree_.emplace(std::move(tree));
    }
  }
  json::error_code error;
  return tree_ ? tree_->find_pointer(pointer, error) : nullptr;
}

std::optional<std::string> Document::json(std::string_view pointer) const {
  const json::value* value = find(pointer);
  return value ? text_of(*value) : std::nullopt;
}

std::optional<std::vector<std::string>> Document::every(std::string_view pointer) const {
  const json::value* whole = find("");
  std::vector<std::string> texts;
  if (!whole || !gather(*whole, pointer, texts) || texts.empty()) return std::nullopt;
  return texts;
}

bool Document::has_json(std::string_view pointer) const {
  const json::value* value = find(pointer);
  return value && !value->is_null();
}

std::optional<std::string> Document::xml(std::string_view path) const {
  return looks_like_xml() ? xml_text(text_, path) : std::nullopt;
}

std::optional<std::string> Document::either(std::string_view pointer) const {
  return looks_like_xml() ? xml_text(text_, pointer) : json(pointer);
}

bool Document::has_either(std::string_view pointer) const {
  return looks_like_xml() ? xml_text(text_, pointer).has_value() : has_json(pointer);
}

}  // namespace rockdove::providers
