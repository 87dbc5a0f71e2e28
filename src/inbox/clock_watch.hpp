// Tells when the wall clock cannot be trusted.
#pragma once

#include "inbox/event.hpp"
#include "net/asio.hpp"

#include <optional>

namespace rockdove::inbox {

/// Compares how far the wall clock gets with how far the steady one does, from one look to the next. Where
/// they differ by more than a minute, the wall clock was wrong before or is wrong now (a machine that slept,
/// or starts without a battery for its clock), and an hour is time for it to be set. Pure: both times are
/// parameters.
class ClockWatch {
 public:
  static constexpr std::chrono::minutes jump_min{1};
  static constexpr std::chrono::hours doubt_time{1};

  /// True if the wall clock has jumped, either way, since the look before.
  bool look(WallTime wall, net::Clock::time_point steady) {
    const auto last = std::exchange(last_, Look{wall, steady});
    if (!last) return false;
    // Whole milliseconds: a wall clock far off would overflow in finer ones.
    const auto passed = std::chrono::duration_cast<WallTime::duration>(steady - last->steady);
    const auto difference = (wall - last->wall) - passed;
    if (difference <= jump_min && -difference <= jump_min) return false;
    doubted_until_ = steady + doubt_time;
    return true;
  }

  /// False for an hour after a jump.
  bool is_trusted(net::Clock::time_point steady) const {
    return !doubted_until_ || steady >= *doubted_until_;
  }

 private:
  struct Look {
    WallTime wall;
    net::Clock::time_point steady;
  };
  std::optional<Look> last_;
  std::optional<net::Clock::time_point> doubted_until_;
};

}  // namespace rockdove::inbox
