// What Changes removes, slice by slice.
#include "inbox/changes.hpp"
#include "inbox/event_rows.hpp"

#include <algorithm>

namespace rockdove::inbox {
namespace {

constexpr std::size_t slice_rows = 2'000;
constexpr auto slice_time = std::chrono::milliseconds(15);  // for which appends may have to wait

/// Ends a slice of removals; looking at the clock costs little beside removing a row.
class Slice {
 public:
  bool has_room() { return rows_++ < slice_rows && net::Clock::now() < end_; }

 private:
  std::size_t rows_ = 0;
  const net::Clock::time_point end_ = net::Clock::now() + slice_time;
};

}  // namespace

std::size_t Changes::purge(std::vector<EventId>& ids, const Filter& filter) {
  std::size_t gone = 0;
  std::size_t at = 0;
  for (Slice slice; at < ids.size() && slice.has_room(); ++at) {
    const EventId id = ids[at];
    const auto row = find(id);
    if (!row || is_claimed(id)) continue;
    const auto& states = filter.states;
    if (!states.empty() && std::find(states.begin(), states.end(), row->state) == states.end()) continue;
    // A reader that took it meanwhile has it; one that comes now waits for the commit.
    if (row->state == State::waiting && !dropped_.contains(id)) {
      if (!shared_.claims.take(id)) continue;
      reserved_.push_back(id);
    }
    if (request_key_.bind(id).step()) {
      const std::string key = request_key_.text(0);
      if (!key.empty()) delete_key_.bind(sqlite::Blob{key}, id).run();
      request_key_.reset();
    }
    remove(*row);
    ++gone;
  }
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(at));
  return gone;
}

void Changes::remove(const Row& row) {
  delete_event_.bind(row.id).run();
  delete_request_.bind(row.id).run();
  if (row.attempts > 0) delete_attempts_.bind(row.id).run();
  count(row, row.state, -1);
  marks_ = true;
  if (is_pending(row.state)) promote(row);
}

std::size_t Changes::expire(WallTime now) {
  const Retention retention = shared_.retention();
  std::size_t gone = 0;
  gone += remove_old(State::done, now - retention.done_age, slice_rows - gone);
  gone += remove_old(State::dead, now - retention.dead_age, slice_rows - gone);
  gone += remove_old(State::quarantined, now - retention.dead_age, slice_rows - gone);
  const auto sums = shared_.tallies.sums();
  auto events = static_cast<std::int64_t>(sums.ended_events);
  auto bytes = static_cast<std::int64_t>(sums.bytes);
  for (const auto& [key, count] : delta_) {
    if (!is_pending(std::get<State>(key))) events += count.events;
    bytes += count.bytes;
  }
  for (Slice slice; gone < slice_rows && slice.has_room(); ++gone, --events) {
    const bool too_many = events > static_cast<std::int64_t>(retention.events_max);
    const bool too_big = bytes > static_cast<std::int64_t>(retention.bytes_max);
    if (!too_many && !too_big) break;
    const auto removed = remove_oldest_ended();
    if (!removed) break;
    bytes -= *removed;
  }
  return gone;
}

std::size_t Changes::remove_old(State state, WallTime until, std::size_t limit) {
  std::vector<EventId> ids;
  old_.bind(static_cast<int>(state), to_column(until), static_cast<std::int64_t>(limit));
  while (old_.step()) ids.push_back(static_cast<EventId>(old_.integer(0)));
  std::size_t gone = 0;
  Slice slice;
  for (const EventId id : ids) {
    if (!slice.has_room()) break;
    const auto row = find(id);
    if (!row) continue;
    remove(*row);
    ++gone;
  }
  return gone;
}

std::optional<std::int64_t> Changes::remove_oldest_ended() {
  std::optional<std::pair<std::int64_t, EventId>> oldest;  // when it ended, which
  for (const State state : {State::done, State::dead, State::quarantined}) {
    if (!oldest_.bind(static_cast<int>(state)).step()) continue;
    const std::pair found(oldest_.integer(1), static_cast<EventId>(oldest_.integer(0)));
    oldest_.reset();
    if (!oldest || found < *oldest) oldest = found;
  }
  const auto row = oldest ? find(oldest->second) : std::nullopt;
  if (!row) return std::nullopt;
  remove(*row);
  return row->bytes;
}

std::size_t Changes::expire_keys(const std::vector<std::string>& keys, WallTime now) {
  std::int64_t gone = 0;
  for (const std::string& key : keys) gone += delete_old_key_.bind(sqlite::Blob{key}, to_column(now)).run();
  return static_cast<std::size_t>(gone);
}

}  // namespace rockdove::inbox
