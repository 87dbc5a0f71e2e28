// Which of the things that are wrong people are told of, and when: conditions in, notices out. Pure.
#pragma once

#include "ops/condition.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::ops {

using AlertTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// One moment by both clocks. Waits are measured by the steady one, so that a wall clock that is set fires
/// nothing and recovers nothing; the wall time is what people read, and all that a restart keeps.
struct Moment {
  std::chrono::steady_clock::time_point steady;
  AlertTime wall;
};

/// One thing to tell.
struct Notice {
  enum class What {
    firing,
    reminder,  ///< it is still so, or there are more dead letters
    resolved,
  };
  What what = What::firing;
  Condition condition{};               ///< as it is now; resolved: as it was last
  AlertTime since{};                   ///< when it began
  std::chrono::milliseconds lasted{};  ///< resolved: how long it was so

  bool operator==(const Notice&) const = default;
};

/// What somebody was told and what still stands: to be kept over a restart, so that the next process neither
/// tells it again nor leaves the recovery out.
struct AlertRecord {
  AlertKind kind = AlertKind::store;
  std::string subject{};
  std::int64_t amount = 0;
  AlertTime since{}, told{};

  bool operator==(const AlertRecord&) const = default;
};

/// An alert fires when its condition has held without a break for `settle` (agent_gone: for `agent_gone`, if
/// that is longer), and is over when the condition has been away as long as `settle`. So neither an agent
/// that reconnects nor a value that dances around its limit gives a message.
class Alerts {
 public:
  struct Options {
    std::chrono::milliseconds agent_gone{std::chrono::minutes(2)};
    std::chrono::milliseconds settle{std::chrono::minutes(1)};
    std::chrono::milliseconds repeat{std::chrono::hours(4)};  ///< between reminders; zero: none
    /// Dead letters stay until somebody has looked at them, so only more of them are a reminder: after this.
    std::chrono::milliseconds growth_pause{std::chrono::minutes(15)};
    std::size_t alerts_max = 1000;  ///< looked after at a time; further ones are not seen
  };
  struct Firing {
    Condition condition;
    AlertTime since;
  };

  explicit Alerts(Options options) : options_(options) {}
  void set_options(Options options) { options_ = options; }

  /// To be called every now and then with all that is wrong. Without anybody who `listens` alerts fire, and
  /// are told once somebody does.
  std::vector<Notice> update(const std::vector<Condition>& wrong, Moment now, bool listens);

  /// A receiver has this. True if records() has changed.
  bool delivered(const Notice& notice, AlertTime now);
  /// What delivered() has heard of and is not over for the receivers.
  std::vector<AlertRecord> records() const;
  /// Begins with what an earlier process told, before the first update(). A record of the future (the clock
  /// was wrong then, or is now) counts as just told.
  void restore(const std::vector<AlertRecord>& records, Moment now);

  std::vector<Firing> firing() const;

 private:
  using Key = std::pair<AlertKind, std::string>;
  using Steady = std::chrono::steady_clock::time_point;
  struct Alert {
    Condition condition;
    Moment began;
    std::optional<Steady> gone;  // since when the condition has been away
    bool is_firing = false;
    std::optional<Steady> told;
    std::int64_t told_amount = 0;
  };

  std::optional<Notice> look(Alert& alert, Moment now, bool listens) const;
  bool is_due(Alert& alert, Steady now) const;
  std::chrono::milliseconds hold(AlertKind kind) const;

  Options options_;
  std::map<Key, Alert> alerts_;
  std::map<Key, AlertRecord> records_;
  std::map<Key, AlertTime> over_;  // since when the last one was so of which the end was delivered
};

}  // namespace rockdove::ops
