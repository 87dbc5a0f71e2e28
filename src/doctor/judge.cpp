#include "doctor/judge.hpp"

#include <algorithm>
#include <cassert>

namespace rockdove::doctor {

using namespace std::chrono_literals;

namespace {

constexpr auto lookup_slow = 1s;
constexpr auto skew_some = 10s, skew_large = 300s;
constexpr std::int64_t days_soon = 14;
constexpr auto idle_least = 10s;
constexpr auto fsync_slow = 10ms, fsync_very_slow = 100ms;
constexpr std::uint64_t disk_low = 1024ULL * 1024 * 1024, disk_full = 100ULL * 1024 * 1024;
constexpr std::uint64_t disk_low_part = 20;  // one twentieth
constexpr std::chrono::sys_days earliest = std::chrono::January / 1 / 2026;

}  // namespace

Id judge_lookup(std::chrono::microseconds took) {
  return took >= lookup_slow ? Id("dns.slow") : Id("dns.found");
}

Id judge_skew(std::chrono::milliseconds difference) {
  const auto size = std::chrono::abs(difference);
  return size >= skew_large ? Id("skew.large") : size >= skew_some ? Id("skew.some") : Id("skew.small");
}

Id judge_mode(unsigned mode, bool is_lent) {
  const unsigned group = is_lent ? 020 : 070;
  return (mode & 07) != 0 ? Id("files.open") : (mode & group) != 0 ? Id("files.group") : Id("files.private");
}

State judge_days(std::int64_t days_left) {
  return days_left < 0 ? State::fail : days_left < days_soon ? State::warn : State::ok;
}

Id judge_idle(std::chrono::seconds held) {
  return held < idle_least ? Id("idle.short") : Id("idle.cut");
}

Percentiles percentiles(std::vector<std::chrono::microseconds> times) {
  assert(!times.empty());
  std::ranges::sort(times);
  const auto at = [&](std::size_t hundredth) {
    return times[std::min(times.size() - 1, times.size() * hundredth / 100)];
  };
  return {at(50), at(99)};
}

Id judge_fsync(const Percentiles& times) {
  return times.p99 > fsync_very_slow ? Id("fsync.very_slow")
         : times.p99 > fsync_slow    ? Id("fsync.slow")
                                     : Id("fsync.ok");
}

Id judge_disk(std::uint64_t size, std::uint64_t available) {
  if (available < disk_full) return Id("disk.full");
  return available < disk_low && available < size / disk_low_part ? Id("disk.low") : Id("disk.free");
}

Id judge_descriptors(std::uint64_t limit, std::uint64_t wanted) {
  return limit < wanted ? Id("descriptors.few") : Id("descriptors.ok");
}

bool is_possible(std::chrono::system_clock::time_point now) {
  return now >= earliest;
}

}  // namespace rockdove::doctor
