// An inbox store in memory: what a durable one has to behave like, and the one unit tests run on.
#pragma once

#include "support/memory_rows.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace rockdove::test {

/// Holds what inbox/store.hpp promises as plainly as it can be written. Where that leaves room it
/// - keeps a queued event queued, and does not count it, when it is replayed: its order stands;
/// - takes events in the order of their receipt or of their schedule, those that are due too late first;
/// - counts as an event's bytes those of its method, target, fields and body.
/// Every operation takes effect when it is called and returns a turn of the loop later.
class MemoryStore final : public inbox::Store {
  auto turn() const { return net::asio::post(executor_, net::asio::use_awaitable_t<net::Executor>()); }

 public:
  explicit MemoryStore(net::Executor executor, inbox::Retention retention = {})
      : executor_(executor), retention_(retention) {}

  std::optional<Error> fail_with;         ///< of every append while it is set
  std::optional<Error> fail_claims_with;  ///< of every claim
  std::optional<Error> fail_pauses_with;  ///< of set_paused() and paused()
  bool hold_appends = false;              ///< they take effect, and return once this is false again
  bool hold_settlements = false;  ///< they take effect, and settle() returns, once this is false again
  std::size_t claims = 0;         ///< calls of claim()
  std::size_t settlements = 0;    ///< that took effect

  const inbox::Event& event(inbox::EventId id) const { return rows_.at(id).event; }
  const std::vector<inbox::Attempt>& attempts(inbox::EventId id) const { return rows_.at(id).attempts; }
  bool is_claimed(inbox::EventId id) const { return rows_.at(id).claimed; }
  std::size_t claimed_count() const {
    return static_cast<std::size_t>(
        std::count_if(rows_.begin(), rows_.end(), [](const auto& each) { return each.second.claimed; }));
  }
  std::size_t size() const { return rows_.size(); }

  Awaitable<Result<inbox::Appended>> append(inbox::NewEvent event) override {
    auto appended = append_now(std::move(event));
    co_await turn();
    while (hold_appends) {
      net::Timer pause(executor_, std::chrono::milliseconds(1));
      co_await pause.async_wait(net::asio::use_awaitable_t<net::Executor>());
    }
    co_return appended;
  }

  Awaitable<Result<inbox::Claimed>> claim(inbox::ClaimRequest request) override {
    ++claims;
    apply_settlements();
    auto claimed = claim_now(request);
    co_await turn();
    co_return claimed;
  }

  Awaitable<void> settle(inbox::Settlement settlement) override {
    settle_later(std::move(settlement));
    const std::size_t mine = handed_in_;
    co_await turn();
    while (settlements < mine) {
      net::Timer pause(executor_, std::chrono::milliseconds(1));
      co_await pause.async_wait(net::asio::use_awaitable_t<net::Executor>());
      apply_settlements();
    }
  }

  void settle_later(inbox::Settlement settlement) override {
    ++handed_in_;
    pending_.push_back(std::move(settlement));
    apply_settlements();
  }

  Awaitable<Result<inbox::EventDetail>> look_up(inbox::EventId id) override {
    co_await turn();
    const auto row = rows_.find(id);
    if (row == rows_.end()) co_return Error::not_found;
    inbox::EventDetail detail{row->second.event, row->second.request, row->second.attempts};
    co_return detail;
  }

  Awaitable<Result<inbox::Attempt>> last_answer(inbox::EventId id) override {
    co_await turn();
    const auto row = rows_.find(id);
    if (row == rows_.end()) co_return Error::not_found;
    const auto& all = row->second.attempts;
    const auto last =
        std::find_if(all.rbegin(), all.rend(), [](const auto& each) { return each.status != 0; });
    if (last == all.rend()) co_return Error::not_found;
    co_return *last;
  }

  Awaitable<Result<inbox::Page>> list(inbox::PageRequest request) override {
    auto page = list_now(request);
    co_await turn();
    co_return page;
  }

  Awaitable<Result<std::size_t>> replay(std::vector<inbox::EventId> ids, inbox::WallTime now) override {
    std::size_t count = 0;
    for (const inbox::EventId id : ids) count += replay_now(id, now);
    co_await turn();
    co_return count;
  }

  Awaitable<Result<std::size_t>> purge(inbox::Filter filter) override {
    std::vector<inbox::EventId> gone;
    for (const auto& [id, row] : rows_)
      if (!row.claimed && row.matches(filter)) gone.push_back(id);
    for (const inbox::EventId id : gone)
      std::erase_if(keys_, [id](const auto& key) { return key.second.id == id; });
    remove(gone);
    co_await turn();
    co_return gone.size();
  }

  Awaitable<Result<std::size_t>> expire(inbox::WallTime now) override {
    const std::size_t count = expire_now(now);
    co_await turn();
    co_return count;
  }

  Awaitable<Result<void>> set_paused(std::string route, std::string reason) override {
    co_await turn();
    if (fail_pauses_with) co_return *fail_pauses_with;
    if (reason.empty()) paused_.erase(route);
    else paused_[route] = reason;
    co_return Result<void>{};
  }

  Awaitable<Result<std::vector<std::pair<std::string, std::string>>>> paused() override {
    co_await turn();
    if (fail_pauses_with) co_return *fail_pauses_with;
    std::vector<std::pair<std::string, std::string>> all(paused_.begin(), paused_.end());
    co_return all;
  }

  std::vector<inbox::Tally> tallies() const override {
    std::map<std::tuple<std::string, std::string, inbox::State>, inbox::Tally> sums;
    for (const auto& [id, row] : rows_) {
      const inbox::Event& event = row.event;
      inbox::Tally& sum = sums[{event.route, event.tunnel, event.state}];
      sum = {event.route, event.tunnel, event.state, sum.events + 1, sum.bytes + event.bytes};
    }
    std::vector<inbox::Tally> all;
    for (auto& [key, sum] : sums) all.push_back(std::move(sum));
    return all;
  }

  Awaitable<Result<std::vector<inbox::Backlog>>> backlogs() override {
    std::map<std::string, inbox::Backlog> found;
    for (const auto& [id, row] : rows_)  // ids rise with the time of receipt, so the first is the oldest
      if (row.is_open())
        found.try_emplace(row.event.route,
                          inbox::Backlog{row.event.route, row.event.tunnel, row.event.received_at});
    std::vector<inbox::Backlog> all;
    for (auto& [route, backlog] : found) all.push_back(std::move(backlog));
    co_await turn();
    co_return all;
  }

  inbox::StoreHealth health() const override {
    inbox::StoreHealth health;
    health.ok = !fail_with;
    if (fail_with) health.reason = "appends fail because the test wants it";
    return health;
  }

  void set_retention(inbox::Retention retention) override { retention_ = retention; }

 private:
  using WallTime = inbox::WallTime;
  using State = inbox::State;
  using Verdict = inbox::Settlement::Verdict;

  using Row = MemoryRow;
  struct Key {
    inbox::EventId id;
    WallTime until;
  };
  using Order = std::pair<std::string, std::string>;  // route and order key

  Result<inbox::Appended> append_now(inbox::NewEvent event) {
    if (fail_with) return *fail_with;
    if (!event.dedupe_key.empty()) {
      const auto key = keys_.find({event.route, event.dedupe_key});
      const auto row = key == keys_.end() ? rows_.end() : rows_.find(key->second.id);
      const bool is_known = row != rows_.end() && row->second.event.state != State::quarantined;
      if (is_known && (row->second.is_open() || event.received_at < key->second.until))
        return inbox::Appended{row->first, true, row->second.event.state, false};
    }
    std::uint64_t open_bytes = 0;
    for (const auto& [id, row] : rows_) open_bytes += row.is_open() ? row.event.bytes : 0;
    if (open_bytes >= retention_.bytes_max) return Error::unavailable;
    Row row = row_of(event);
    const inbox::EventId id = row.event.id;
    if (!event.dedupe_key.empty()) keys_[{event.route, event.dedupe_key}] = {id, event.dedupe_until};
    row.claimed = event.claim && row.event.state == State::waiting;
    const inbox::Appended appended{id, false, row.event.state, row.claimed};
    rows_.emplace(id, std::move(row));
    return appended;
  }

  Row row_of(inbox::NewEvent& from) {
    Row row;
    inbox::Event& event = row.event;
    last_id_ = std::max(last_id_ + 1, inbox::first_id_at(from.received_at));
    event.id = last_id_;
    event.route = from.route;
    event.tunnel = from.tunnel;
    event.received_at = event.due_at = from.received_at;
    event.ordered = from.ordered;
    event.order_key = from.ordered ? from.order_key : std::string();
    event.state = from.ordered && head_of({from.route, from.order_key}) ? State::queued : State::waiting;
    event.method = from.request.method;
    event.target = from.request.target;
    event.bytes =
        event.method.size() + event.target.size() + from.request.fields.bytes() + from.request.body.size();
    row.request = std::move(from.request);
    return row;
  }

  /// The first of the events of an order that have not ended.
  Row* head_of(const Order& order) {
    for (auto& [id, row] : rows_)
      if (row.event.ordered && row.is_open() && Order(row.event.route, row.event.order_key) == order)
        return &row;
    return nullptr;
  }

  void promote(const Order& order) {
    Row* const head = head_of(order);
    if (head) head->event.state = State::waiting;
  }

  Result<inbox::Claimed> claim_now(const inbox::ClaimRequest& request) {
    if (fail_claims_with) return *fail_claims_with;
    std::vector<std::pair<MemoryRow::Place, Row*>> free;
    for (auto& [id, row] : rows_)
      if (row.event.route == request.route && row.event.state == State::waiting && !row.claimed)
        free.emplace_back(row.place(request), &row);
    std::sort(free.begin(), free.end());
    inbox::Claimed claimed;
    std::size_t bytes = 0;
    for (const auto& [place, row] : free) {
      const WallTime due = std::get<0>(place);
      const bool is_due = due <= request.now;
      const bool fits = claimed.events.empty() || bytes + row->event.bytes <= request.bytes_max;
      if (!is_due || !fits || claimed.events.size() >= request.events_max) {
        claimed.next_due = due == WallTime{} ? request.now : due;
        break;
      }
      bytes += row->event.bytes;
      row->claimed = true;
      claimed.events.push_back({row->event, row->request});
    }
    return claimed;
  }

  void apply_settlements() {
    if (hold_settlements) return;
    for (inbox::Settlement& settlement : std::exchange(pending_, {})) {
      ++settlements;
      const auto row = rows_.find(settlement.id);
      if (row != rows_.end()) settle_now(row->second, settlement);
    }
  }

  void settle_now(Row& row, inbox::Settlement& settlement) {
    inbox::Event& event = row.event;
    row.claimed = false;
    if (settlement.verdict == Verdict::release) {
      if (settlement.due_at != WallTime{}) row.schedule(settlement.due_at);
      return;
    }
    if (settlement.attempt) row.record(std::move(*settlement.attempt), settlement.verdict != Verdict::retry);
    if (settlement.verdict == Verdict::retry) {
      row.schedule(settlement.due_at);
      return;
    }
    event.state = settlement.verdict == Verdict::done ? State::done : State::dead;
    event.reason = settlement.verdict == Verdict::dead ? settlement.reason : std::string();
    row.ended_at = settlement.now;
    if (event.ordered) promote({event.route, event.order_key});
  }

  inbox::Page list_now(const inbox::PageRequest& request) const {
    std::vector<const Row*> found;
    for (const auto& [id, row] : rows_) {
      const bool is_past = request.oldest_first ? id > request.cursor : id < request.cursor;
      if ((request.cursor == 0 || is_past) && row.matches(request.filter)) found.push_back(&row);
    }
    if (!request.oldest_first) std::reverse(found.begin(), found.end());
    const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, 1000);
    inbox::Page page;
    for (const Row* row : found) {
      if (page.events.size() == limit) {
        page.next = page.events.back().id;
        break;
      }
      page.events.push_back(row->event);
    }
    return page;
  }

  std::size_t replay_now(inbox::EventId id, WallTime now) {
    const auto found = rows_.find(id);
    if (found == rows_.end() || found->second.claimed) return 0;
    Row& row = found->second;
    inbox::Event& event = row.event;
    if (event.state == State::quarantined || event.state == State::queued) return 0;
    if (event.state == State::waiting) {
      if (row.is_scheduled) event.due_at = std::min(event.due_at, now);
      return 1;
    }
    row.schedule(now);
    event.state = State::waiting;
    event.replay = true;
    event.ordered = false;
    event.order_key.clear();
    event.reason.clear();
    event.first_attempt_at = {};
    return 1;
  }

  void remove(const std::vector<inbox::EventId>& ids) {
    std::set<Order> orders;
    for (const inbox::EventId id : ids) {
      const inbox::Event& event = rows_.at(id).event;
      if (event.ordered) orders.emplace(event.route, event.order_key);
      rows_.erase(id);
    }
    for (const Order& order : orders) promote(order);
  }

  std::size_t expire_now(WallTime now) {
    std::erase_if(keys_, [&](const auto& key) {
      const auto row = rows_.find(key.second.id);
      return key.second.until <= now && (row == rows_.end() || !row->second.is_open());
    });
    std::vector<inbox::EventId> gone;
    std::vector<const Row*> kept;
    std::uint64_t bytes = 0;
    for (const auto& [id, row] : rows_) {
      const auto age = row.event.state == State::done ? retention_.done_age : retention_.dead_age;
      const bool is_old = row.has_ended() && !row.claimed && row.ended_at + age <= now;
      if (is_old) gone.push_back(id);
      else bytes += row.event.bytes;
      if (!is_old && row.has_ended() && !row.claimed) kept.push_back(&row);
    }
    for (std::size_t at = 0; at < kept.size(); ++at) {  // ids rise: the oldest come first
      if (kept.size() - at <= retention_.events_max && bytes <= retention_.bytes_max) break;
      bytes -= kept[at]->event.bytes;
      gone.push_back(kept[at]->event.id);
    }
    remove(gone);
    return gone.size();
  }

  const net::Executor executor_;
  inbox::Retention retention_;
  std::map<inbox::EventId, Row> rows_;
  std::map<std::pair<std::string, std::string>, Key> keys_;  // of route and dedupe key
  std::map<std::string, std::string> paused_;
  std::vector<inbox::Settlement> pending_;
  std::size_t handed_in_ = 0;
  inbox::EventId last_id_ = 0;
};

}  // namespace rockdove::test
