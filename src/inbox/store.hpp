// The interface of a durable store of events. Free of SQL: an embedded database and a shared log can both be
// one.
#pragma once

#include "base/histogram.hpp"
#include "inbox/event.hpp"
#include "net/asio.hpp"

#include <functional>

namespace rockdove::inbox {

struct NewEvent {
  std::string route, tunnel;
  StoredRequest request;
  WallTime received_at{};
  /// A second event of the same route and key is not stored until `dedupe_until`. Empty: every event is new.
  std::string dedupe_key;
  WallTime dedupe_until{};
  /// With `ordered`, events of one route and key are delivered one after the other, in the order of their
  /// ids.
  bool ordered = false;
  std::string order_key;
  bool claim = false;  ///< if it is `waiting`, claim it at once for whoever appends it
};

struct Appended {
  EventId id = 0;  ///< of the stored event, or of the earlier one it is a duplicate of
  bool duplicate = false;
  State state = State::waiting;  ///< of that event
  bool claimed = false;          ///< by this append: it has to be settled
};

struct ClaimRequest {
  std::string route;
  WallTime now{};
  /// No event waits longer than this: one that is due later was scheduled by a clock that was wrong, and is
  /// due now.
  std::chrono::milliseconds wait_max{std::chrono::hours(24)};
  std::size_t events_max = 0;
  std::size_t bytes_max = 0;  ///< of requests; the first event comes whatever its size
};

struct DueEvent {
  Event event;
  StoredRequest request;
};

struct Claimed {
  std::vector<DueEvent> events;  ///< in the order they are due; each has to be settled
  std::optional<WallTime>
      next_due;  ///< when the next unclaimed waiting event of the route is due, now or later
};

/// What becomes of a claimed event.
struct Settlement {
  enum class Verdict {
    done,
    retry,    ///< waiting again, until `due_at`
    dead,     ///< for `reason`
    release,  ///< waiting as before the claim: the upstream saw nothing, so no attempt is recorded
  };
  EventId id = 0;
  Verdict verdict = Verdict::release;
  WallTime due_at{};   ///< of a retry; of a release: if set, the event's new place among the others
  WallTime now{};      ///< of a done or dead event: when it ended, for its retention
  std::string reason;  ///< of a dead one
  bool eager = false;  ///< others wait for it, by their order: it is committed without waiting for company
  std::optional<Attempt> attempt;  ///< number is set by the store
};

/// Ends a claim as if it had never been.
inline Settlement release_of(const Event& event) {
  Settlement release;
  release.id = event.id;
  release.eager = event.ordered;
  return release;
}

/// Which events; what is empty or unset does not restrict.
struct Filter {
  std::string tunnel, route;
  std::vector<State> states;
  EventId from = 0;   ///< the least id
  EventId until = 0;  ///< one above the greatest id; 0: no limit
  std::string text;   ///< occurs in the target, a field value or the body; bytes, case-sensitive
};

struct PageRequest {
  Filter filter;
  EventId cursor = 0;       ///< Page::next of the page before; 0: the first
  std::size_t limit = 100;  ///< events on a page, at most 1000
  bool oldest_first = false;
};

struct Page {
  std::vector<Event> events;
  EventId next = 0;  ///< cursor of the next page; 0: this is the last. A page may be short, even empty, and
                     ///< have one: a search stops after some time, wherever it is, so that no page takes long
};

struct EventDetail {
  Event event;
  StoredRequest request;  ///< empty for a quarantined event
  std::vector<Attempt> attempts;
};

/// The counts of one route and state.
struct Tally {
  std::string route, tunnel;
  State state = State::waiting;
  std::uint64_t events = 0, bytes = 0;
};

struct Backlog {
  std::string route;
  std::string tunnel;  ///< of its oldest event
  WallTime oldest{};   ///< when the oldest event that is waiting or queued was received
};

struct Retention {
  std::chrono::milliseconds done_age{std::chrono::hours(7 * 24)};
  std::chrono::milliseconds dead_age{std::chrono::hours(30 * 24)};
  std::uint64_t events_max = 1'000'000;  ///< ended events kept; the oldest go first
  std::uint64_t bytes_max =
      4ULL * 1024 * 1024 * 1024;  ///< of all requests; ended events go, then appends are refused
};

struct StoreHealth {
  bool ok = true;
  std::string reason;  ///< what is wrong and what to do
  std::uint64_t commits = 0;
  std::chrono::microseconds last_commit{0}, slowest_commit{0};
  Histogram commit_times;  ///< of all since the start
};

/// Keeps events over crashes of the process and the machine. Called on the loop thread; every operation runs
/// elsewhere and resumes on the loop. Errors: Error::unavailable when the disk or the database refuses, and
/// nothing has changed then as far as the caller can tell; the cause is in health().
///
/// A claim is a promise in memory to settle an event: nobody else is given it, and it ends with the process,
/// so that what was claimed is due again after a crash.
class Store {
 public:
  virtual ~Store() = default;

  /// Returns once the event is on disk (fsync), or is known to be a duplicate of one that is. Cancelling the
  /// call leaves open whether the event is stored. Error::unavailable too when Retention::bytes_max is
  /// reached by events that have not ended.
  virtual Awaitable<Result<Appended>> append(NewEvent event) = 0;

  /// Due events of a route that nobody has claimed: oldest due first.
  virtual Awaitable<Result<Claimed>> claim(ClaimRequest request) = 0;

  /// Ends a claim. Returns when the settlement is on disk. It is never refused: while the disk is, the event
  /// stays claimed and the settlement is tried again. Not to be awaited by whoever has other things to do:
  /// settle_later() does the same without the wait.
  virtual Awaitable<void> settle(Settlement settlement) = 0;
  virtual void settle_later(Settlement settlement) = 0;

  /// Error::not_found if there is no such event.
  virtual Awaitable<Result<EventDetail>> look_up(EventId id) = 0;
  /// The last attempt that has an answer; Error::not_found if there is none.
  virtual Awaitable<Result<Attempt>> last_answer(EventId id) = 0;
  virtual Awaitable<Result<Page>> list(PageRequest request) = 0;

  /// Makes ended events waiting again, due at `now`, marked as replays and outside of any order. Those that
  /// have not ended are made due at once. Claimed and quarantined ones are left alone. Returns how many are
  /// due now by this.
  virtual Awaitable<Result<std::size_t>> replay(std::vector<EventId> ids, WallTime now) = 0;
  /// Removes events that are not claimed, at most some thousands at a time; returns how many, 0 when none is
  /// left.
  virtual Awaitable<Result<std::size_t>> purge(Filter filter) = 0;
  /// Removes what Retention no longer keeps, at most some thousands at a time, and old dedupe keys; returns
  /// how many events went.
  virtual Awaitable<Result<std::size_t>> expire(WallTime now) = 0;

  /// A paused route's events wait; kept over restarts. `reason` "" resumes it.
  virtual Awaitable<Result<void>> set_paused(std::string route, std::string reason) = 0;
  /// Route and reason of every paused route.
  virtual Awaitable<Result<std::vector<std::pair<std::string, std::string>>>> paused() = 0;

  /// From memory, exact as of the last commit.
  virtual std::vector<Tally> tallies() const = 0;
  /// One for each route that has waiting or queued events.
  virtual Awaitable<Result<std::vector<Backlog>>> backlogs() = 0;
  virtual StoreHealth health() const = 0;
  virtual void set_retention(Retention retention) = 0;
};

}  // namespace rockdove::inbox
