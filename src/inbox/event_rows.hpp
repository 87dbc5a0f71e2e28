// How events and attempts lie in their tables.
#pragma once

#include "inbox/sqlite.hpp"
#include "inbox/store.hpp"

namespace rockdove::inbox {

/// For SELECT, in the order in which read_event() takes them from column 0 on.
inline constexpr const char* event_columns =
    "id, route, tunnel, state, received_at, due_at, first_attempt_at, attempts, replay, ordered, order_key, "
    "reason, method, target, bytes";
Event read_event(const sqlite::Statement& row);

/// The same for attempts, without the event's id.
inline constexpr const char* attempt_columns =
    "number, started_at, took_ms, agent, status, error, type, body";
Attempt read_attempt(const sqlite::Statement& row);

inline std::int64_t to_column(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime time_of(std::int64_t column) {
  return WallTime(std::chrono::milliseconds(column));
}

/// It has yet to be delivered.
inline bool is_pending(State state) {
  return state == State::waiting || state == State::queued;
}

/// Where such events lie, each in one of the two, with the index that has them by route and id.
inline constexpr const char* never_put_off = "INDEXED BY due WHERE state=0 AND due_at=0";
inline constexpr const char* put_off = "INDEXED BY put_off WHERE state<2 AND (state=1 OR due_at<>0)";

/// About when an event was received: what first_id_at() made of it.
inline std::int64_t received_column(EventId id) {
  return static_cast<std::int64_t>(id >> 20);
}

/// Of event_columns, for its value as it lies there.
inline constexpr int due_at_column = 5;
/// events.due_at of an event that nobody has scheduled: it is due whatever the clock says. Event::due_at is
/// when it was received then.
inline constexpr std::int64_t due_at_once = 0;

/// What a list shows of a target; the whole one is in the request.
inline constexpr std::size_t listed_target_max = 256;

/// The request of a row with these columns: checksum, head, body. Error::malformed if they are not what was
/// written, or were written for another route or tunnel than the event's row says.
Result<StoredRequest> read_request(const sqlite::Statement& row, const Event& event);
inline constexpr const char* request_columns = "checksum, head, body";

}  // namespace rockdove::inbox
