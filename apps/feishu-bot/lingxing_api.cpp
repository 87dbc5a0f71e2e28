#include "feishu-bot/lingxing_api.hpp"

#include "feishu-bot/json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace rockdove::feishu_bot {
namespace {

constexpr int amount_digits = 4;  // behind the point
constexpr int whole_digits = 12;  // before it: 64 bits hold 922 such amounts at least, so who sums up checks

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Amounts come as text, and now and then as numbers.
std::optional<std::int64_t> amount_at(const boost::json::value& order) {
  const auto* value = find(order, {"order_total_amount"});
  if (!value || value->is_null()) return 0;
  if (value->is_double()) return parse_amount(fmt::format("{:.4f}", value->get_double()));
  if (!value->is_string() && !value->is_int64() && !value->is_uint64()) return std::nullopt;
  return parse_amount(text_at(order, {"order_total_amount"}));
}

Order order_of(const boost::json::value& each) {
  Order order{text_at(each, {"seller_name"}), text_at(each, {"order_status"}),
              text_at(each, {"order_total_currency_code"})};
  const auto amount = amount_at(each);
  order.amount = amount.value_or(0);
  order.has_amount = amount.has_value();
  return order;
}

/// A whole number, also one that stands there as text or is too large for its kind.
std::int64_t number_at(const boost::json::value& from, std::string_view key, std::int64_t otherwise) {
  const std::string text = text_at(from, {key});
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::int64_t>::max();
  return error == std::errc() && end == text.data() + text.size() ? number : otherwise;
}

const boost::json::array& list_at(const boost::json::value& from, std::string_view key) {
  static const boost::json::array none;
  const auto* value = find(from, {key});
  const auto* list = value ? value->if_array() : nullptr;
  return list ? *list : none;
}

}  // namespace

std::optional<std::int64_t> parse_amount(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (negative && text.empty()) return std::nullopt;
  std::int64_t amount = 0;
  for (int digits = 0; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    if (++digits > whole_digits) return std::nullopt;
    amount = amount * 10 + (text.front() - '0');
  }
  const bool has_point = text.starts_with('.');
  if (has_point) text.remove_prefix(1);
  int decimals = 0;
  for (; has_point && !text.empty() && is_digit(text.front()); text.remove_prefix(1))
    if (decimals < amount_digits) amount = amount * 10 + (text.front() - '0'), ++decimals;
  if (!text.empty()) return std::nullopt;
  for (; decimals < amount_digits; ++decimals) amount *= 10;
  return negative ? -amount : amount;
}

/// The answer of a call that Lingxing has answered with code 0. HTTP's status is 200 whatever happened.
Awaitable<Outcome<boost::json::value>> LingxingApi::ask(JsonApi::Call call) {
  auto answer = co_await api_.call(std::move(call));
  if (!answer) co_return answer.error();
  std::string code = text_at(answer->body, {"code"});
  if (code == "0") co_return std::move(answer->body);
  Failure failure;
  failure.kind = code.empty() ? Failure::Kind::unreadable : Failure::Kind::refused;
  failure.status = answer->status;
  failure.code = std::move(code);
  failure.message = text_at(answer->body, {"message"});
  if (failure.message.empty()) failure.message = text_at(answer->body, {"msg"});
  co_return failure;
}

Awaitable<Outcome<std::vector<Seller>>> LingxingApi::sellers() {
  JsonApi::Call call{"GET", "/erp/sc/data/seller/lists", "", ""};
  auto answer = co_await ask(std::move(call));
  if (!answer) co_return answer.error();
  std::vector<Seller> sellers;
  for (const auto& each : list_at(*answer, "data"))
    sellers.push_back({text_at(each, {"sid"}), text_at(each, {"name"}), text_at(each, {"country"}),
                       number_at(each, "status", 1)});
  co_return sellers;
}

Awaitable<Outcome<Orders>> LingxingApi::orders(std::string first, std::string end) {
  Orders orders;
  while (true) {
    boost::json::object body;
    body["start_date"] = first;
    body["end_date"] = end;
    body["date_type"] = 1;  // when it was ordered
    body["offset"] = orders.list.size();
    body["length"] = options_.page;
    JsonApi::Call call{"POST", "/erp/sc/data/mws/orders", "", boost::json::serialize(body)};
    auto answer = co_await ask(std::move(call));
    if (!answer) co_return answer.error();
    const auto& page = list_at(*answer, "data");
    for (std::size_t i = 0; i < std::min(page.size(), options_.page); ++i)
      orders.list.push_back(order_of(page[i]));
    const auto total = number_at(*answer, "total", 0);
    orders.total = std::max(orders.list.size(), static_cast<std::size_t>(std::max<std::int64_t>(total, 0)));
    const bool is_complete = page.empty() || orders.list.size() >= orders.total;
    if (is_complete || orders.list.size() >= options_.orders_max) co_return orders;
  }
}

}  // namespace rockdove::feishu_bot
