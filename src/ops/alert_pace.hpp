// How many messages an hour a receiver gets at most, and what becomes of the others. Pure.
#pragma once

#include "ops/alerts.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <vector>

namespace rockdove::ops {

/// What goes into one message.
struct AlertBatch {
  std::vector<Notice> notices;
  bool is_summary = false;  ///< the limit is reached: these are all that had to be said until now
};

/// At most so many messages in any hour. The last of them is a summary of whatever has to be said, also of
/// one notice, so that its reader knows why there is silence then; what comes after it waits for the next
/// place, and goes out as one summary again. Who waited and is over by then is not mentioned.
class AlertPace {
 public:
  static constexpr std::chrono::hours span{1};

  /// 0: no limit.
  explicit AlertPace(std::size_t per_hour) : per_hour_(per_hour) {}
  void set_per_hour(std::size_t per_hour) { per_hour_ = per_hour; }

  /// What to send now, in order. To be called every now and then without notices too.
  std::vector<AlertBatch> add(std::vector<Notice> notices, std::chrono::steady_clock::time_point now);

  std::size_t held() const { return held_.size(); }

 private:
  void hold(Notice notice);

  std::size_t per_hour_;
  std::vector<Notice> held_;  // at most two of an alert
  std::deque<std::chrono::steady_clock::time_point> sent_;
};

}  // namespace rockdove::ops
