// Latencies as counts in buckets: percentiles without keeping the values.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace rockdove {

/// Counts of microseconds in log-linear buckets: eight to each power of two, so a percentile is at most 12.5
/// % too high. Fixed size (1.2 KiB), constant time, up to 2^38 µs (three days).
class Histogram {
 public:
  void add(std::uint64_t microseconds) {
    ++counts_[index_of(microseconds)];
    ++total_;
    sum_ += microseconds;
    if (microseconds > max_) max_ = microseconds;
  }

  /// As if all values of `other` had been added here.
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    sum_ += other.sum_;
    if (other.max_ > max_) max_ = other.max_;
  }

  std::uint64_t total() const { return total_; }
  std::uint64_t sum() const { return sum_; }
  std::uint64_t max() const { return max_; }

  /// How many values are less than `edge` microseconds. Exact for a power of two, as buckets begin there.
  std::uint64_t below(std::uint64_t edge) const {
    std::uint64_t count = 0;
    const std::size_t end = index_of(edge);
    for (std::size_t i = 0; i < end; ++i) count += counts_[i];
    return count;
  }

  /// The upper edge of the bucket that holds the given share of all values, 0 < share <= 1; 0 if empty.
  std::uint64_t percentile(double share) const {
    if (total_ == 0) return 0;
    auto left = static_cast<std::uint64_t>(share * static_cast<double>(total_) + 0.5);
    if (left == 0) left = 1;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] >= left) return upper_edge(i) < max_ ? upper_edge(i) : max_;
      left -= counts_[i];
    }
    return max_;
  }

 private:
  static constexpr unsigned sub_bits = 3, powers = 36;

  static std::size_t index_of(std::uint64_t value) {
    if (value < (1U << sub_bits)) return static_cast<std::size_t>(value);
    const unsigned power = static_cast<unsigned>(std::bit_width(value)) - 1 - sub_bits;
    if (power >= powers - 1) return (powers << sub_bits) - 1;
    return ((power + 1) << sub_bits) + static_cast<std::size_t>((value >> power) & ((1U << sub_bits) - 1));
  }

  static std::uint64_t upper_edge(std::size_t index) {
    if (index < (1U << sub_bits)) return index;
    const std::size_t power = (index >> sub_bits) - 1;
    const std::uint64_t step = (std::uint64_t{1} << sub_bits) + (index & ((1U << sub_bits) - 1));
    return ((step + 1) << power) - 1;
  }

  std::array<std::uint32_t, powers << sub_bits> counts_{};
  std::uint64_t total_ = 0, sum_ = 0, max_ = 0;
};

}  // namespace rockdove
