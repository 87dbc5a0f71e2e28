// Looks into JSON that others wrote: what is missing, or of another kind than expected, is empty.
#pragma once

#include <boost/json/value.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::feishu_bot {

inline constexpr std::size_t json_depth_max = 32;

/// Nothing if `text` is no JSON, or nested deeper than json_depth_max.
std::optional<boost::json::value> parse_json(std::string_view text);

/// What the keys of `path` lead to from object to object, or null.
const boost::json::value* find(const boost::json::value& from, std::initializer_list<std::string_view> path);

/// The text, or the whole number as text, that stands there; else "".
std::string text_at(const boost::json::value& from, std::initializer_list<std::string_view> path);

}  // namespace rockdove::feishu_bot
