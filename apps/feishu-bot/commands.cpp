#include "feishu-bot/commands.hpp"

#include "feishu-bot/cards.hpp"
#include "feishu-bot/texts.hpp"
#include "net/log.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

namespace rockdove::feishu_bot {
namespace {

using Kind = Command::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 8> words{{{"帮助", Kind::help},
                                                                  {"help", Kind::help},
                                                                  {"?", Kind::help},
                                                                  {"？", Kind::help},
                                                                  {"店铺", Kind::sellers},
                                                                  {"shops", Kind::sellers},
                                                                  {"订单", Kind::orders},
                                                                  {"orders", Kind::orders}}};

/// Lower case, without white space; full-width digits become plain ones.
std::string simplified(std::string_view text) {
  constexpr std::string_view wide_space = "\u3000", wide_digit = "\xEF\xBC";  // U+FF10 is EF BC 90
  std::string plain;
  while (!text.empty()) {
    const char c = text.front();
    const auto third = text.size() > 2 ? static_cast<unsigned char>(text[2]) : 0;
    if (text.starts_with(wide_space)) {
      text.remove_prefix(3);
    } else if (text.starts_with(wide_digit) && third >= 0x90 && third <= 0x99) {
      plain += static_cast<char>('0' + (third - 0x90));
      text.remove_prefix(3);
    } else {
      if (c >= 'A' && c <= 'Z') plain += static_cast<char>(c - 'A' + 'a');
      else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') plain += c;
      text.remove_prefix(1);
    }
  }
  return plain;
}

/// "7", "7天", "" (1 day). Nothing if it is no such text, 0 if the number is out of range.
std::optional<int> parse_days(std::string_view text) {
  if (text.empty()) return 1;
  if (text.ends_with("天")) text.remove_suffix(std::string_view("天").size());
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  int days = 0;
  for (const char digit : text) {
    days = days * 10 + (digit - '0');
    if (days > days_max) return 0;
  }
  return days;
}

std::string day(std::chrono::sys_days date) {
  const std::chrono::year_month_day parts(date);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(parts.year()),
                     static_cast<unsigned>(parts.month()), static_cast<unsigned>(parts.day()));
}

Message told(const Failure& failure, std::string_view what) {
  log::warn("bot", "{}: Lingxing: {}", what, to_string(failure));
  return failure_message(failure);
}

}  // namespace

Command parse_command(std::string_view text) {
  const std::string plain = simplified(text);
  std::string_view rest = plain;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (rest.empty()) return {};
  for (const auto& [word, kind] : words) {
    if (!rest.starts_with(word)) continue;
    const auto argument = rest.substr(word.size());
    if (kind != Kind::orders) {
      if (argument.empty()) return {kind, 1, {}};
    } else if (const auto days = parse_days(argument)) {
      if (*days == 0) return {Kind::bad_days, 1, {}};
      return {kind, *days, {}};
    }
  }
  return {Kind::unknown, 1, std::string(text)};
}

std::string_view promise(const Command& command) {
  switch (command.kind) {
    case Kind::sellers: return "正在查询店铺…";
    case Kind::orders: return "正在查询订单…";
    default: return "好的，马上回复你。";
  }
}

Awaitable<Message> Commands::run(Command command) {
  switch (command.kind) {
    case Kind::help: co_return help_card();
    case Kind::sellers: co_return co_await sellers();
    case Kind::orders: co_return co_await orders(command.days);
    case Kind::bad_days: co_return text_message(fmt::format("天数请写 1 到 {}，比如“订单 7”。", days_max));
    case Kind::unknown: break;
  }
  co_return unknown_message(command.text);
}

Awaitable<Message> Commands::sellers() {
  auto found = co_await lingxing_.sellers();
  if (!found) co_return told(found.error(), "shops");
  co_return sellers_message(*found);
}

/// The last `days` days as China counts them, today included. Lingxing takes them in the time of each site.
Awaitable<Message> Commands::orders(int days) {
  const auto today = std::chrono::floor<std::chrono::days>(now_() + std::chrono::hours(8));
  const auto first = today - std::chrono::days(days - 1);
  auto found = co_await lingxing_.orders(day(first), day(today + std::chrono::days(1)));
  if (!found) co_return told(found.error(), "orders");
  co_return orders_message(*found, days, day(first), day(today));
}

}  // namespace rockdove::feishu_bot
