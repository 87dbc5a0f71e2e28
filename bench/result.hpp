// How long things took, and the line of JSON that the benchmark reads: the same as wrk.lua's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

using Clock = std::chrono::steady_clock;

class Latencies {
 public:
  void add(Clock::duration took) {
    microseconds_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  }
  std::size_t count() const { return microseconds_.size(); }

  /// Prints the line; `not_2xx` are answers that were no success, `failed` those that never came.
  void print(Clock::duration ran, std::uint64_t not_2xx, std::uint64_t failed) {
    std::sort(microseconds_.begin(), microseconds_.end());
    std::printf(
        "RESULT {\"requests\":%zu,\"seconds\":%.6f,\"p50_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld,"
        "\"not_2xx\":%llu,\"connect\":0,\"read\":%llu,\"write\":0,\"timeout\":0}\n",
        count(), std::chrono::duration<double>(ran).count(), percentile(50), percentile(99), percentile(100),
        static_cast<unsigned long long>(not_2xx), static_cast<unsigned long long>(failed));
  }

 private:
  long long percentile(std::size_t part) const {
    if (microseconds_.empty()) return 0;
    return microseconds_[std::min(microseconds_.size() - 1, microseconds_.size() * part / 100)];
  }

  std::vector<long long> microseconds_;
};
