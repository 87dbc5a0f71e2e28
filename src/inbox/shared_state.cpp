#include "inbox/shared_state.hpp"

#include <fmt/core.h>

namespace rockdove::inbox {
namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

}  // namespace

void TallyBook::add_to_sums(State state, Count count) {
  const bool is_pending = state == State::waiting || state == State::queued;
  // Wraps as it should: the sum of all that was ever added is never negative.
  const auto events = static_cast<std::uint64_t>(count.events);
  const auto bytes = static_cast<std::uint64_t>(count.bytes);
  (is_pending ? sums_.pending_events : sums_.ended_events) += events;
  if (is_pending) sums_.pending_bytes += bytes;
  sums_.bytes += bytes;
}

void TallyBook::replace(Counts counts) {
  const std::lock_guard lock(mutex_);
  counts_ = std::move(counts);
  sums_ = {};
  for (const auto& [key, count] : counts_) add_to_sums(std::get<State>(key), count);
}

void TallyBook::add(const Counts& delta) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, count] : delta) {
    auto& sum = counts_[key];
    sum.events += count.events;
    sum.bytes += count.bytes;
    add_to_sums(std::get<State>(key), count);
    if (sum.events == 0) counts_.erase(key);
  }
}

std::vector<Tally> TallyBook::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Tally> all;
  all.reserve(counts_.size());
  for (const auto& [key, count] : counts_)
    all.push_back({std::get<0>(key), std::get<1>(key), std::get<State>(key),
                   static_cast<std::uint64_t>(count.events), static_cast<std::uint64_t>(count.bytes)});
  return all;
}

TallyBook::Sums TallyBook::sums() const {
  const std::lock_guard lock(mutex_);
  return sums_;
}

void HealthBook::committed(std::chrono::microseconds took) {
  const std::lock_guard lock(mutex_);
  ++health_.commits;
  health_.last_commit = took;
  health_.commit_times.add(static_cast<std::uint64_t>(took.count()));
  health_.slowest_commit = std::max(health_.slowest_commit, took);
}

void HealthBook::set_failure(Work work, std::string reason) {
  const std::lock_guard lock(mutex_);
  failures_[static_cast<std::size_t>(work)] = std::move(reason);
}

void HealthBook::set_over_limit(bool over) {
  const std::lock_guard lock(mutex_);
  over_limit_ = over;
}

StoreHealth HealthBook::look(const TallyBook& tallies, const Retention& retention) const {
  const auto pending = tallies.sums().pending_bytes;
  const std::lock_guard lock(mutex_);
  StoreHealth health = health_;
  for (const auto& failure : failures_)
    if (health.reason.empty()) health.reason = failure;
  if (health.reason.empty() && over_limit_ && pending >= retention.bytes_max)
    health.reason = fmt::format(
        "events that wait for delivery take {} MiB of the {} MiB allowed: new ones are "
        "refused until some are delivered or purged, or the limit is raised",
        pending / mebibyte, retention.bytes_max / mebibyte);
  health.ok = health.reason.empty();
  return health;
}

}  // namespace rockdove::inbox
