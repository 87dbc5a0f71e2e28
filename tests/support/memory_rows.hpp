// One event of the store in memory.
#pragma once

#include "inbox/store.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace rockdove::test {

struct MemoryRow {
  using WallTime = inbox::WallTime;
  using State = inbox::State;

  inbox::Event event;
  inbox::StoredRequest request;
  std::vector<inbox::Attempt> attempts;
  WallTime ended_at{};
  bool is_scheduled = false;  ///< if not, it is due whatever the clock says
  bool claimed = false;

  bool is_open() const { return event.state == State::waiting || event.state == State::queued; }
  bool has_ended() const { return event.state == State::done || event.state == State::dead; }

  void schedule(WallTime due_at) {
    event.due_at = due_at;
    is_scheduled = true;
  }

  void record(inbox::Attempt attempt, bool is_last) {
    const auto most = is_last ? inbox::answer_bytes_max : inbox::retried_answer_bytes_max;
    attempt.body.resize(std::min(attempt.body.size(), most));
    attempt.number = ++event.attempts;
    if (event.first_attempt_at == WallTime{}) event.first_attempt_at = attempt.started_at;
    attempts.push_back(std::move(attempt));
    if (attempts.size() > inbox::first_attempts_kept + inbox::newest_attempts_kept)
      attempts.erase(attempts.begin() + inbox::first_attempts_kept);
  }

  /// For the order of claims: when it is due (the epoch: for too long, by a clock that was wrong), whether
  /// somebody has scheduled it, for when, id.
  using Place = std::tuple<WallTime, bool, WallTime, inbox::EventId>;
  Place place(const inbox::ClaimRequest& asked) const {
    const WallTime received_at(std::chrono::milliseconds(event.id >> 20));
    if (!is_scheduled) return {std::min(received_at, asked.now), false, WallTime{}, event.id};
    const bool is_overdue = event.due_at > asked.now + asked.wait_max;
    return {is_overdue ? WallTime{} : event.due_at, true, event.due_at, event.id};
  }

  bool matches(const inbox::Filter& filter) const {
    if (!filter.tunnel.empty() && event.tunnel != filter.tunnel) return false;
    if (!filter.route.empty() && event.route != filter.route) return false;
    const auto& states = filter.states;
    if (!states.empty() && std::find(states.begin(), states.end(), event.state) == states.end()) return false;
    if (event.id < filter.from || (filter.until != 0 && event.id >= filter.until)) return false;
    const auto has = [&](std::string_view text) { return text.find(filter.text) != std::string_view::npos; };
    if (filter.text.empty() || has(request.target) || has(request.body)) return true;
    for (const http::Fields::Field field : request.fields)
      if (has(field.value)) return true;
    return false;
  }
};

}  // namespace rockdove::test
