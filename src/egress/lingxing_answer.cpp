#include "egress/lingxing_answer.hpp"

#include "base/text.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace rockdove::egress {
namespace {

namespace json = boost::json;

constexpr std::size_t code_max = 32;
constexpr std::size_t token_max = 4096;
constexpr std::chrono::seconds lifetime_max{std::chrono::hours(24)};

std::string text_at(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  const json::string* text = value ? value->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

/// The number of seconds at `key`, which some answers write as a string.
std::chrono::seconds seconds_at(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  std::int64_t count = 0;
  if (value && value->is_int64()) {
    count = value->as_int64();
  } else {
    const std::string text = text_at(from, key);
    const bool is_number = !text.empty() && text.size() <= 9 &&
                           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) count = std::stoll(text);
  }
  return std::clamp(std::chrono::seconds(count), std::chrono::seconds(0), lifetime_max);
}

std::optional<LingxingGrant> grant_of(const json::object& answer) {
  const json::value* value = answer.if_contains("data");
  const json::object* data = value ? value->if_object() : nullptr;
  if (!data) return std::nullopt;
  LingxingGrant grant{text_at(*data, "access_token"), text_at(*data, "refresh_token"),
                      seconds_at(*data, "expires_in")};
  if (grant.access_token.empty() || grant.access_token.size() > token_max) return std::nullopt;
  if (grant.lifetime.count() == 0) return std::nullopt;
  if (grant.refresh_token.size() > token_max) grant.refresh_token.clear();
  return grant;
}

}  // namespace

std::optional<LingxingAnswer> parse_lingxing_answer(std::string_view text) {
  json::error_code error;
  const json::value tree = json::parse(text, error);
  const json::object* object = error ? nullptr : tree.if_object();
  const json::value* code = object ? object->if_contains("code") : nullptr;
  if (!code) return std::nullopt;
  LingxingAnswer answer;
  if (code->is_string()) answer.code = code->as_string();
  else if (code->is_int64()) answer.code = std::to_string(code->as_int64());
  else return std::nullopt;
  if (answer.code.size() > code_max) return std::nullopt;
  std::string message = text_at(*object, "msg");
  if (message.empty()) message = text_at(*object, "message");
  answer.message = utf8_prefix(message, lingxing_message_max);
  answer.grant = grant_of(*object);
  return answer;
}

LingxingVerdict judge_lingxing(std::string_view code) noexcept {
  if (code == "2001003" || code == "2001005") return LingxingVerdict::stale;
  if (code == "3001008" || code == "103") return LingxingVerdict::busy;
  return LingxingVerdict::final;
}

}  // namespace rockdove::egress
