// What the bot can do. To teach it something new: a Kind, a line in parse_command(), a case in run(), and a
// line on the help card.
#pragma once

#include "feishu-bot/feishu_api.hpp"
#include "feishu-bot/lingxing_api.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace rockdove::feishu_bot {

inline constexpr int days_max = 31;

struct Command {
  enum class Kind { help, sellers, orders, bad_days, unknown };
  Kind kind = Kind::help;
  int days = 1;      ///< of orders: 1 to days_max
  std::string text;  ///< of unknown: what was said

  bool operator==(const Command&) const = default;
};

/// Takes "帮助", "店铺", "订单", "订单 7", "订单7天"; a slash in front, full-width digits, and nothing at
/// all, which means help.
Command parse_command(std::string_view text);

/// What somebody who pressed a button is told at once.
std::string_view promise(const Command& command);

class Commands {
 public:
  using WallTime = std::chrono::sys_seconds;

  /// `lingxing` must outlive it. `now` tells the time; tests bring their own.
  Commands(LingxingApi& lingxing, std::function<WallTime()> now)
      : lingxing_(lingxing), now_(std::move(now)) {}

  /// The answer to a command: a failure is told in words, and logged.
  Awaitable<Message> run(Command command);

 private:
  Awaitable<Message> sellers();
  Awaitable<Message> orders(int days);

  LingxingApi& lingxing_;
  const std::function<WallTime()> now_;
};

}  // namespace rockdove::feishu_bot
