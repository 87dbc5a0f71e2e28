// Everything that reads the database: the statements of the reading thread.
#pragma once

#include "inbox/search.hpp"
#include "inbox/shared_state.hpp"
#include "inbox/sqlite.hpp"

#include <functional>

namespace rockdove::inbox {

/// Each function is a view of its own, as of the last commit. Failures stick to the database.
class Lookups {
 public:
  /// `quarantine` is told of claimed events whose record is not what was written; it has to end the claim.
  using Quarantine = std::function<void(EventId, std::string reason, WallTime now)>;

  Lookups(sqlite::Database& database, SharedState& shared, Quarantine quarantine);

  Claimed claim(const ClaimRequest& request);
  Result<EventDetail> look_up(EventId id);
  Result<Attempt> last_answer(EventId id);
  std::vector<Backlog> backlogs();
  std::vector<std::pair<std::string, std::string>> paused();
  Search& search() { return search_; }

  /// Some dedupe keys whose time is over and whose event is not pending.
  struct OldKeys {
    std::vector<std::string> keys;
    /// Where to look next: above this time and key. Empty: there are no more.
    std::optional<std::pair<std::int64_t, std::string>> next;
  };
  OldKeys old_keys(WallTime now, const std::pair<std::int64_t, std::string>& above);

 private:
  /// Due events that were free and are claimed now, in their order, not yet looked at in a view that is newer
  /// than the claim.
  struct Taken {
    std::vector<EventId> ids;
    std::optional<WallTime> next_due;
  };
  Taken take(const ClaimRequest& request);
  /// Where in the order of claims an event stands.
  struct Place {
    EventId id = 0;
    std::int64_t due_at = 0;
    bool is_due = false;
    std::int64_t rank = 0;  ///< the least comes first
    WallTime due(const ClaimRequest& request) const;
  };
  static Place place_of(EventId id, std::int64_t due_at, const ClaimRequest& request);
  /// The next event of the statement that nobody has claimed.
  std::optional<Place> next_free(sqlite::Statement& source, const ClaimRequest& request);
  /// True if the event has been added or turned out to be gone; false if it does not fit any more.
  bool add(EventId id, const ClaimRequest& request, Claimed& claimed, std::size_t& bytes);

  sqlite::Database& database_;
  SharedState& shared_;
  const Quarantine quarantine_;
  Search search_;
  bool has_quarantined_ = false;  // the claim under way
  sqlite::Statement overdue_, unscheduled_, scheduled_, old_keys_, event_, request_, attempts_, answer_,
      next_route_, oldest_, paused_;
};

}  // namespace rockdove::inbox
