// Everything that changes the database: the statements of the committing thread.
#pragma once

#include "inbox/shared_state.hpp"
#include "inbox/sqlite.hpp"

#include <unordered_set>

namespace rockdove::inbox {

/// A new event with what can be worked out before the transaction.
struct PreparedEvent {
  NewEvent event;
  std::string head;
  std::uint64_t checksum = 0;
  std::string dedupe;  ///< digest of route and dedupe key; empty: none
};
PreparedEvent prepare(NewEvent event);

/// One transaction after the other. What it does to claims and tallies in memory counts from commit() on.
/// Failures stick to the database: ask it before commit().
class Changes {
 public:
  /// `last_id` is the greatest id given out so far; it outlives the connection.
  Changes(sqlite::Database& database, SharedState& shared, EventId& last_id);

  bool begin();
  bool commit();
  void roll_back();

  Result<Appended> append(const PreparedEvent& prepared);
  /// Does nothing unless the event is claimed.
  void settle(const Settlement& settlement);
  /// Of an event that this store has claimed itself, having found that it cannot be read.
  void quarantine(EventId id, const std::string& reason, WallTime now);
  std::size_t replay(const std::vector<EventId>& ids, WallTime now);
  /// Removes those of `ids` that are still as `filter` wants them (its text apart) and that nobody has
  /// claimed, their dedupe keys too. Stops after some milliseconds: `ids` keeps those it did not come to.
  std::size_t purge(std::vector<EventId>& ids, const Filter& filter);
  /// Removes a slice of what Retention no longer keeps.
  std::size_t expire(WallTime now);
  /// Removes those of these dedupe keys that do not count any more.
  std::size_t expire_keys(const std::vector<std::string>& keys, WallTime now);
  /// Has the open transaction write something, whatever else it does: only then is its end a word on the
  /// disk.
  void probe() { marks_ = true; }
  void set_paused(const std::string& route, const std::string& reason);

 private:
  /// What it takes to change an event's state.
  struct Row {
    EventId id = 0;
    std::string route, tunnel;
    State state = State::waiting;
    int attempts = 0;
    std::int64_t first_attempt_at = 0;
    bool ordered = false;
    std::string order_key;
    std::int64_t bytes = 0;
  };
  std::optional<Row> find(EventId id);
  std::optional<Row> find_earlier(const PreparedEvent& prepared);
  bool is_claimed(EventId id) const { return shared_.claims.holds(id) && !dropped_.contains(id); }
  std::uint64_t pending_bytes() const;
  void count(const Row& row, State state, int sign);
  void insert(const PreparedEvent& prepared, const Appended& appended);
  void record(const Settlement& settlement, Row& row);
  void end(const Row& row, State state, const std::string& reason, WallTime now);
  void promote(const Row& row);
  void remove(const Row& row);
  std::size_t remove_old(State state, WallTime until, std::size_t limit);
  /// Returns its bytes; nothing if there is none.
  std::optional<std::int64_t> remove_oldest_ended();
  void forget();
  void save_tallies();

  sqlite::Database& database_;
  SharedState& shared_;
  EventId& last_id_;

  // Of the open transaction.
  Counts delta_;
  std::unordered_set<EventId> dropped_;  // claims that end with the commit
  std::vector<EventId> taken_;           // claims made by appends, which end with a rollback
  std::vector<EventId> reserved_;        // claims that keep readers off, and end with the transaction
  bool marks_ = false;

  sqlite::Statement insert_request_, insert_event_, find_event_, find_key_, insert_key_, delete_key_;
  sqlite::Statement in_line_, promote_, retry_, end_, insert_attempt_, trim_attempts_, replay_, hurry_, move_;
  sqlite::Statement old_, oldest_, delete_event_, delete_request_, delete_attempts_, request_key_;
  sqlite::Statement delete_old_key_, pause_, resume_, tally_, mark_;
};

/// What the committing thread has to know before its first transaction.
struct Loaded {
  Counts counts;
  EventId last_id = 0;
};
Loaded load(sqlite::Database& database);

}  // namespace rockdove::inbox
