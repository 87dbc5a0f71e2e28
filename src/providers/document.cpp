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
}  // namespace

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
  if (!value) return std::nullopt;
  switch (value->kind()) {
    case json::kind::string: return std::string(value->get_string());
    case json::kind::int64: return std::to_string(value->get_int64());
    case json::kind::uint64: return std::to_string(value->get_uint64());
    case json::kind::bool_: return value->get_bool() ? "true" : "false";
    default: return std::nullopt;
  }
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
