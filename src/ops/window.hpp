// The exchanges of the last minutes: a ring of short spans, so that what is old falls out.
#pragma once

#include "base/histogram.hpp"
#include "net/asio.hpp"

#include <cstdint>
#include <vector>

namespace rockdove::ops {

/// What became of some exchanges.
struct Span {
  std::uint64_t requests = 0;  ///< that have ended, in whatever way
  std::uint64_t answered = 0;  ///< those of them whose caller got a status
  std::uint64_t failed = 0;    ///< those of these with a 5xx
  Histogram latency;

  void add(int status, std::uint64_t microseconds);
  void add(const Span& other);
  /// Share of the answers that were not 5xx; 1 if there were none.
  double success_rate() const;
};

/// Remembers the last `length`, and up to a fifteenth of it more. Takes no memory before the first exchange
/// and 20 KiB then, however many follow.
class Window {
 public:
  explicit Window(net::Duration length) : slot_time_(length / slots) {}

  void add(net::Clock::time_point ended, int status, std::uint64_t microseconds);
  Span sum(net::Clock::time_point now) const;

 private:
  static constexpr std::int64_t slots = 15;
  struct Slot {
    std::int64_t number = -1;  ///< which stretch of time it holds, counted from the clock's beginning
    Span span;
  };
  std::int64_t number_at(net::Clock::time_point time) const { return time.time_since_epoch() / slot_time_; }

  net::Duration slot_time_;
  std::vector<Slot> ring_;  // empty, or slots whole ones and the current one
};

}  // namespace rockdove::ops
