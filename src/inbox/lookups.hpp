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

 private:
  /// Due events that were free and are claimed now, in their order, not yet looked at in a view that is newer
  /// than the claim.
  struct Taken {
    std::vector<EventId> ids;
    std::optional<WallTime> next_due;
  };
  Taken take(const ClaimRequest& request);
  /// True if the event has been added or turned out to be gone; false if it does not fit any more.
  bool add(EventId id, const ClaimRequest& request, Claimed& claimed, std::size_t& bytes);

  sqlite::Database& database_;
  SharedState& shared_;
  const Quarantine quarantine_;
  Search search_;
  sqlite::Statement due_, event_, request_, attempts_, answer_, oldest_, paused_;
};

}  // namespace rockdove::inbox
