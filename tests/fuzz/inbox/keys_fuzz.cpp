// Keys in foreign documents: what is found without a tree is what is found in one.
#include "inbox/keys.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdlib>

namespace {

using namespace rockdove;
using namespace rockdove::inbox;
namespace json = boost::json;

void require(bool holds) {
  if (!holds) std::abort();
}

void replace(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

/// One step down: a member, or an element whose index is written so; null if there is none.
const json::value* step(const json::value& from, std::string_view token) {
  if (const auto* object = from.if_object()) return object->if_contains(token);
  const auto* array = from.if_array();
  for (std::size_t i = 0; array && i < array->size(); ++i)
    if (token == std::to_string(i)) return &(*array)[i];
  return nullptr;
}

/// The place's text, or nothing; numbers as far as a tree has them: an empty text.
std::optional<std::string> find_in_tree(const json::value& tree, std::string_view pointer) {
  const json::value* place = &tree;
  while (place && !pointer.empty()) {
    pointer.remove_prefix(1);
    std::string token(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(token.size());
    replace(token, "~1", "/");
    replace(token, "~0", "~");
    place = step(*place, token);
  }
  if (!place) return std::nullopt;
  if (place->is_number()) return "";
  if (!place->is_string() || place->as_string().empty()) return std::nullopt;
  return std::string(place->as_string());
}

}  // namespace

/// Up to the first line break: the pointer. Then: the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view pointer = bytes.substr(0, bytes.find('\n'));
  const std::string_view body = bytes.substr(std::min(pointer.size() + 1, size));

  const KeyRule rule{KeyRule::From::json, std::string(pointer)};
  const auto key = find_key(rule, {}, body);
  require(!key || (!key->empty() && key->size() <= key_bytes_max));
  require(dedupe_key({rule}, {}, body).empty() == !key);
  require(dedupe_key({rule, KeyRule{}}, {}, body).empty() == (!key && body.empty()));

  json::error_code error;
  json::parse_options options;
  options.max_depth = 32;
  const json::value tree = json::parse(body, error, {}, options);
  if (error || !is_json_pointer(pointer)) {
    require(!key);
    return 0;
  }
  const auto wanted = find_in_tree(tree, pointer);
  require(wanted.has_value() == key.has_value());
  require(!key || wanted->empty() || wanted->size() > key_bytes_max || *wanted == *key);
  return 0;
}
