// Holds down log lines that strangers can cause as often as they like.
#pragma once

#include "net/asio.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace rockdove::net {

/// Lets one line a second pass, which says how many did not. One for each kind of line.
class LogPace {
 public:
  static constexpr std::chrono::seconds every{1};

  /// What to end the line with, "" or " (and 3 others before it)"; nullopt if it is not to be written.
  std::optional<std::string> pass(Clock::time_point now = Clock::now()) {
    if (now < next_) {
      ++held_back_;
      return std::nullopt;
    }
    next_ = now + every;
    const std::uint64_t others = std::exchange(held_back_, 0);
    return others == 0 ? "" : " (and " + std::to_string(others) + " others before it)";
  }

 private:
  Clock::time_point next_ = Clock::time_point::min();
  std::uint64_t held_back_ = 0;
};

}  // namespace rockdove::net
