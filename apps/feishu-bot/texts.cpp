#include "feishu-bot/texts.hpp"

#include "base/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace rockdove::feishu_bot {
namespace {

constexpr std::size_t word_bytes_max = 60;  // of what somebody typed, when it is said back

using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array<Names, 8> states{{{"PendingAvailability", "预订"},
                                       {"Pending", "待处理"},
                                       {"Unshipped", "未发货"},
                                       {"PartiallyShipped", "部分发货"},
                                       {"Shipped", "已发货"},
                                       {"InvoiceUnconfirmed", "待确认发票"},
                                       {"Canceled", "已取消"},
                                       {"Unfulfillable", "无法配送"}}};

/// What each code of Lingxing means for whoever reads the chat.
constexpr std::array<Names, 16> refusals{{
    {"3001002",
     "领星拒绝了这个 IP。请管理员把服务器的公网 IP 加入领星白名单：ERP 设置 › 业务配置 › 全局 › 开放接口。"},
    {"3001008", "领星接口正忙（请求太频繁），请过一会儿再试。"},
    {"103", "领星接口正忙（请求太频繁），请过一会儿再试。"},
    {"2001001", "领星说没有这个应用。请管理员检查服务器上配置的 AppId。"},
    {"2001002", "领星说 AppSecret 不对。请管理员检查服务器上的配置。"},
    {"2001003", "领星的访问令牌过期了，请稍后再试一次。"},
    {"2001005",
     "领星的访问令牌被别的程序换掉了，请稍后再试一次；若总是这样，请管理员让所有程序都经过同一台服务器。"},
    {"2001004", "这个领星应用没有该接口的权限。请管理员在领星开放平台为它授权。"},
    {"2001006", "领星说签名不对。请管理员检查服务器上配置的 AppId 和 AppSecret。"},
    {"2001007", "领星说签名已过期。请管理员检查服务器的时钟。"},
    {"2001008", "领星的访问令牌过期了，请稍后再试一次。"},
    {"2001009", "领星的访问令牌失效了，请稍后再试一次。"},
    {"3001001", "请求没有带上领星的签名。请管理员检查服务器的领星配置。"},
    {"401", "这个领星应用已被停用。请管理员到领星开放平台查看。"},
    {"403", "这个领星应用已过期，或没有该接口的权限。请管理员到领星开放平台查看。"},
    {"102", "领星说参数不对，这多半是机器人的问题，请告诉管理员。"},
}};

/// The same for what the egress proxy and the server say in Lingxing's place (docs/egress.md,
/// docs/lingxing.md).
constexpr std::array<Names, 6> obstacles{{
    {"lingxing_token", "服务器没能取得领星的访问令牌。请管理员检查领星的 AppId、AppSecret 和 IP 白名单。"},
    {"queue_full", "领星接口正忙（排队的查询太多），请过一会儿再试。"},
    {"rate_limited", "领星接口正忙（请求太频繁），请过一会儿再试。"},
    {"no_link", "这台电脑和服务器的连接断了，正在重连，请稍后再试。"},
    {"destination_unknown", "服务器上还没有配置领星。请管理员检查服务器的出口（egress）配置。"},
    {"destination_denied", "服务器没有放行领星。请管理员检查服务器的出口（egress）配置。"},
}};

template <std::size_t Size>
std::string_view name_of(const std::array<Names, Size>& names, std::string_view key,
                         std::string_view otherwise) {
  for (const auto& [each, name] : names)
    if (each == key) return name;
  return otherwise;
}

/// How many bytes a text takes in a request: JSON within a JSON string.
std::size_t cost(std::string_view text) {
  const std::string once = boost::json::serialize(boost::json::string(text));
  return boost::json::serialize(boost::json::string(once)).size();
}

/// Text messages know tags such as <at user_id="all">; what others wrote must not become one.
std::string without_tags(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c == '<') plain += "＜";
    else plain += c;
  }
  return plain;
}

/// 12345600 is "1,234.56": two digits are enough for people.
std::string format_amount(std::int64_t amount) {
  const bool negative = amount < 0;
  const auto size = static_cast<std::uint64_t>(amount);
  const auto cents = ((negative ? 0 - size : size) + 50) / 100;  // of the smallest number too
  std::string whole = std::to_string(cents / 100);
  for (auto at = static_cast<std::ptrdiff_t>(whole.size()) - 3; at > 0; at -= 3)
    whole.insert(static_cast<std::size_t>(at), ",");
  return fmt::format("{}{}.{:02}", negative ? "-" : "", whole, cents % 100);
}

/// An amount of money that may have become too large to know.
struct Money {
  std::int64_t amount = 0;
  bool is_known = true;

  void add(std::int64_t more) { is_known = !__builtin_add_overflow(amount, more, &amount) && is_known; }
};

struct Sum {
  std::size_t orders = 0;
  std::size_t unreadable = 0;            // orders among them that count for nothing
  std::map<std::string, Money> amounts;  // by currency; orders that cost nothing have none
  std::map<std::string, std::size_t> states;

  void add(const Order& order) {
    ++orders;
    if (!order.has_amount) ++unreadable;
    else if (!order.currency.empty()) amounts[order.currency].add(order.amount);
    ++states[order.state];
  }
};

/// "3 单，USD 12.00、GBP 8.99"
std::string describe(const Sum& sum) {
  std::string text = fmt::format("{} 单", sum.orders);
  const char* before = "，";
  for (const auto& [currency, money] : sum.amounts) {
    text += fmt::format("{}{} {}", before, currency,
                        money.is_known ? format_amount(money.amount) : "金额太大，无法合计");
    before = "、";
  }
  if (sum.unreadable > 0) text += fmt::format("，其中 {} 单的金额看不懂，没有计入", sum.unreadable);
  return text;
}

/// "已发货 2、未发货 1", the most first.
std::string describe_states(const Sum& sum) {
  std::vector<std::pair<std::string, std::size_t>> counts(sum.states.begin(), sum.states.end());
  std::ranges::stable_sort(counts, std::greater(), &std::pair<std::string, std::size_t>::second);
  std::string text;
  for (const auto& [state, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : "、", name_of(states, state, state), count);
  return text;
}

}  // namespace

Message text_message(std::string_view text) {
  std::string plain = without_tags(text);
  while (cost(plain) > text_bytes_max) plain = std::string(utf8_prefix(plain, plain.size() * 9 / 10));
  boost::json::object content;
  content["text"] = plain;
  return {"text", boost::json::serialize(content)};
}

Message list_message(std::string_view head, const std::vector<std::string>& items, std::string_view unit) {
  constexpr std::size_t reserved = 200;  // for the last line
  std::string text(head);
  std::size_t shown = 0, size = cost(without_tags(text)) + reserved;
  for (const std::string& item : items) {
    const std::string line = "\n" + item;
    size += cost(without_tags(line));
    if (shown == list_lines_max || size > text_bytes_max) break;
    text += line;
    ++shown;
  }
  if (shown < items.size()) text += fmt::format("\n…还有 {} {}", items.size() - shown, unit);
  return text_message(text);
}

Message sellers_message(const std::vector<Seller>& sellers) {
  constexpr std::array<std::string_view, 4> notes{"（已停止同步）", "", "（授权异常）", "（欠费停服）"};
  if (sellers.empty()) return text_message("领星里还没有已授权的店铺。");
  std::vector<std::string> lines;
  for (const Seller& each : sellers) {
    const bool is_known = each.status >= 0 && each.status < static_cast<std::int64_t>(notes.size());
    lines.push_back(fmt::format("· {}　{}{}", each.name, each.country,
                                is_known ? notes[static_cast<std::size_t>(each.status)] : ""));
  }
  return list_message(fmt::format("共 {} 家店铺：", sellers.size()), lines, "家");
}

Message orders_message(const Orders& orders, int days, std::string_view first, std::string_view last) {
  const std::string period = first == last ? std::string(first) : fmt::format("{} 至 {}", first, last);
  std::string head = fmt::format("最近 {} 天的订单（按站点下单时间，{}）", days, period);
  if (orders.list.empty()) return text_message(head + "：一单也没有。");
  Sum all;
  std::map<std::string, Sum> shops;
  for (const Order& each : orders.list) {
    all.add(each);
    shops[each.shop].add(each);
  }
  std::vector<std::pair<std::string, Sum>> sorted(shops.begin(), shops.end());
  std::ranges::stable_sort(sorted, std::greater(), [](const auto& each) { return each.second.orders; });

  head += "\n合计 " + describe(all) + "\n" + describe_states(all);
  if (orders.total > orders.list.size())
    head += fmt::format("\n（共 {} 单，只统计了前 {} 单）", orders.total, orders.list.size());
  std::vector<std::string> lines;
  for (const auto& [shop, sum] : sorted)
    lines.push_back(fmt::format("· {}：{}（{}）", shop, describe(sum), describe_states(sum)));
  return list_message(head, lines, "家店铺");
}

Message failure_message(const Failure& failure) {
  constexpr std::size_t long_code = 7;  // shorter ones could be a part of any number
  std::string_view known;
  switch (failure.kind) {
    case Failure::Kind::timed_out: return text_message("领星没有及时回答，请稍后再试。");
    case Failure::Kind::unreadable: return text_message("没看懂领星的回答，请稍后再试。");
    case Failure::Kind::unreachable:
      // Without a token there is no call: why, Lingxing told the server.
      for (const auto& [code, text] : refusals)
        if (code.size() >= long_code && failure.message.find(code) != failure.message.npos)
          return text_message(fmt::format("{}（错误码 {}）", text, code));
      known = name_of(obstacles, failure.code,
                      "暂时连不上领星，请稍后再试；若一直如此，请管理员检查出口代理和服务器。");
      return text_message(known);
    case Failure::Kind::refused: known = name_of(refusals, failure.code, ""); break;
  }
  if (!known.empty()) return text_message(fmt::format("{}（错误码 {}）", known, failure.code));
  return text_message(fmt::format("领星没有答应这次查询（错误码 {}：{}）。请稍后再试，或告诉管理员。",
                                  utf8_prefix(failure.code, word_bytes_max),
                                  utf8_prefix(failure.message, 4 * word_bytes_max)));
}

Message unknown_message(std::string_view word) {
  return text_message(
      fmt::format("不好意思，我还不懂“{}”。发送“帮助”看看我会做什么。", utf8_prefix(word, word_bytes_max)));
}

}  // namespace rockdove::feishu_bot
