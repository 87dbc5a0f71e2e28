// So many calls a second.
#pragma once

#include "net/asio.hpp"

#include <algorithm>

namespace rockdove::egress {

/// A token bucket: it holds what a second brings, so that after a pause so many may come at once.
class Bucket {
 public:
  /// Takes one of `rate` tokens a second; false if there is none. 0: no limit.
  bool take(std::size_t rate, net::Clock::time_point now) {
    if (rate == 0) return true;
    const auto full = static_cast<double>(rate);
    const double seconds = std::chrono::duration<double>(now - filled_).count();
    tokens_ = is_new_ ? full : std::min(full, tokens_ + std::max(0.0, seconds) * full);
    is_new_ = false;
    filled_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double tokens_ = 0;
  bool is_new_ = true;
  net::Clock::time_point filled_{};
};

}  // namespace rockdove::egress
