// How long to wait before trying again: longer each time, and never in step with others.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace rockdove {

struct BackoffOptions {
  std::chrono::milliseconds floor{100};   ///< no wait is shorter
  std::chrono::milliseconds first{500};   ///< the first wait is at most this; it doubles from try to try
  std::chrono::milliseconds cap{30'000};  ///< no wait is longer
  std::chrono::milliseconds reset_after{60'000};  ///< success that lasts this long forgets earlier failures
};

/// Exponential backoff with full jitter: uniform in [floor, min(cap, first * 2^n)]. When a server comes
/// back, its agents return spread over the whole interval instead of in waves. Pure: time and chance are
/// parameters.
class Backoff {
 public:
  explicit Backoff(BackoffOptions options = {}) : options_(options), ceiling_(options.first) {}

  /// The wait before the next try. `random` is 32 uniformly distributed bits.
  std::chrono::milliseconds next(std::uint32_t random) {
    const auto ceiling = std::min(ceiling_, options_.cap);
    // The ceiling itself doubles, not an exponent: it stops at the cap and cannot overflow.
    ceiling_ = std::min(ceiling * 2, options_.cap);
    const auto spread = std::max(ceiling - options_.floor, std::chrono::milliseconds{0});
    const auto scaled = static_cast<std::uint64_t>(spread.count() + 1) * random >> 32;
    return options_.floor + std::chrono::milliseconds(static_cast<std::int64_t>(scaled));
  }

  /// What had been retried then worked for `duration`. A success that ends sooner counts for nothing, so
  /// that a peer that accepts and drops us at once is not called in a tight loop.
  void succeeded_for(std::chrono::milliseconds duration) {
    if (duration >= options_.reset_after) ceiling_ = options_.first;
  }

 private:
  BackoffOptions options_;
  std::chrono::milliseconds ceiling_;
};

}  // namespace rockdove
