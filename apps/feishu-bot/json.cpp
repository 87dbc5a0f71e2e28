#include "feishu-bot/json.hpp"

#include <boost/json/parse.hpp>

namespace rockdove::feishu_bot {

std::optional<boost::json::value> parse_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  boost::system::error_code error;
  auto value = boost::json::parse(text, error, {}, options);
  if (error) return std::nullopt;
  return value;
}

const boost::json::value* find(const boost::json::value& from, std::initializer_list<std::string_view> path) {
  const boost::json::value* at = &from;
  for (const auto key : path) {
    const boost::json::object* object = at->if_object();
    at = object ? object->if_contains(key) : nullptr;
    if (!at) return nullptr;
  }
  return at;
}

std::string text_at(const boost::json::value& from, std::initializer_list<std::string_view> path) {
  const boost::json::value* at = find(from, path);
  if (!at) return {};
  if (const auto* text = at->if_string()) return std::string(*text);
  if (const auto* number = at->if_int64()) return std::to_string(*number);
  if (const auto* number = at->if_uint64()) return std::to_string(*number);
  return {};
}

}  // namespace rockdove::feishu_bot
