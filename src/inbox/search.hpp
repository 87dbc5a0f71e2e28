// Pages of events for lists, and events to purge: searches that never take long.
#pragma once

#include "inbox/shared_state.hpp"
#include "inbox/sqlite.hpp"
#include "inbox/store.hpp"
#include "net/asio.hpp"

namespace rockdove::inbox {

/// Walks events by id, along an index where a state has one, and stops after some time with a cursor.
/// Failures stick to the database.
class Search {
 public:
  Search(sqlite::Database& database, SharedState& shared);

  Page page(const PageRequest& request, net::Duration time);

  struct Found {
    std::vector<EventId> ids;
    EventId next = 0;  ///< where to go on; 0: there is no more
  };
  /// Oldest first, those that are claimed left out.
  Found ids(const Filter& filter, EventId cursor, std::size_t limit, net::Duration time);

 private:
  /// The statement that gives the candidates in order, bound: fast ways for few among many.
  sqlite::Statement& candidates(const PageRequest& request);
  bool matches(const Event& event, const Filter& filter);
  bool has_text(EventId id, const std::string& text);

  SharedState& shared_;
  sqlite::Statement newest_, oldest_, newest_failed_, oldest_failed_, newest_pending_, oldest_pending_,
      newest_pending_of_, oldest_pending_of_, record_;
};

}  // namespace rockdove::inbox
