#include "inbox/lookups.hpp"

#include "inbox/event_rows.hpp"

namespace rockdove::inbox {
namespace {

// Not operator+: GCC 12 sees overflows in it that are not there.
std::string sql(std::string_view before, std::string_view columns, std::string_view after) {
  std::string text(before);
  text.append(columns).append(after);
  return text;
}

}  // namespace

Lookups::Lookups(sqlite::Database& database, SharedState& shared, Quarantine quarantine)
    : database_(database),
      shared_(shared),
      quarantine_(std::move(quarantine)),
      search_(database, shared),
      due_(database,
           "SELECT id, due_at FROM events INDEXED BY due WHERE route=? AND state=0 ORDER BY due_at, id"),
      event_(database, sql("SELECT ", event_columns, " FROM events WHERE id=?")),
      request_(database, sql("SELECT ", request_columns, " FROM requests WHERE id=?")),
      attempts_(database, sql("SELECT ", attempt_columns, " FROM attempts WHERE event=? ORDER BY number")),
      answer_(database, sql("SELECT ", attempt_columns,
                            " FROM attempts WHERE event=? AND status<>0 ORDER BY number DESC LIMIT 1")),
      oldest_(database,
              "SELECT route, tunnel, received_at FROM events INDEXED BY pending "
              "WHERE state<2 AND route>=? ORDER BY route, id LIMIT 1"),
      paused_(database, "SELECT route, reason FROM paused ORDER BY route") {}

Claimed Lookups::claim(const ClaimRequest& request) {
  const Taken taken = take(request);
  Claimed claimed;
  claimed.next_due = taken.next_due;
  std::size_t bytes = 0;
  std::size_t at = 0;
  // Each event is read in a view that begins after it was claimed: see Claims.
  while (at < taken.ids.size() && !database_.failed() && add(taken.ids[at], request, claimed, bytes)) ++at;
  if (database_.failed()) {
    for (const EventId id : taken.ids) shared_.claims.drop(id);
    return {};
  }
  for (; at < taken.ids.size(); ++at) shared_.claims.drop(taken.ids[at]);
  return claimed;
}

Lookups::Taken Lookups::take(const ClaimRequest& request) {
  Taken taken;
  due_.bind(request.route);
  while (due_.step()) {
    const auto id = static_cast<EventId>(due_.integer(0));
    const auto due_at = time_of(due_.integer(1));
    if (shared_.claims.holds(id)) continue;
    const bool is_enough = due_at > request.now || taken.ids.size() >= request.events_max;
    if (!is_enough && !shared_.claims.take(id)) continue;
    if (!is_enough) {
      taken.ids.push_back(id);
      continue;
    }
    taken.next_due = due_at;
    break;
  }
  due_.reset();
  return taken;
}

bool Lookups::add(EventId id, const ClaimRequest& request, Claimed& claimed, std::size_t& bytes) {
  if (!event_.bind(id).step()) {
    if (!database_.failed()) shared_.claims.drop(id);  // gone since take() looked
    return true;
  }
  DueEvent due;
  due.event = read_event(event_);
  event_.reset();
  if (due.event.state != State::waiting || due.event.due_at > request.now) {
    shared_.claims.drop(id);
    return true;
  }
  if (!claimed.events.empty() && bytes + due.event.bytes > request.bytes_max) {
    claimed.next_due = due.event.due_at;
    return false;
  }
  Result<StoredRequest> stored = Error::not_found;
  if (request_.bind(id).step()) stored = read_request(request_);
  request_.reset();
  if (database_.failed()) return true;
  if (!stored) {
    quarantine_(id,
                stored.error() == Error::not_found ? "its request is missing in the database"
                                                   : "its record does not match its checksum",
                request.now);
    return true;
  }
  due.request = std::move(*stored);
  bytes += due.event.bytes;
  claimed.events.push_back(std::move(due));
  return true;
}

Result<EventDetail> Lookups::look_up(EventId id) {
  database_.run("BEGIN");
  EventDetail detail;
  const bool found = event_.bind(id).step();
  if (found) {
    detail.event = read_event(event_);
    event_.reset();
    if (detail.event.state != State::quarantined && request_.bind(id).step()) {
      auto request = read_request(request_);
      if (request) detail.request = std::move(*request);
    }
    request_.reset();
    attempts_.bind(id);
    while (attempts_.step()) detail.attempts.push_back(read_attempt(attempts_));
  }
  database_.run("COMMIT");
  if (!found) return Error::not_found;
  return detail;
}

Result<Attempt> Lookups::last_answer(EventId id) {
  if (!answer_.bind(id).step()) return Error::not_found;
  Attempt attempt = read_attempt(answer_);
  answer_.reset();
  return attempt;
}

std::vector<Backlog> Lookups::backlogs() {
  std::vector<Backlog> all;
  std::string from;
  while (oldest_.bind(from).step()) {
    all.push_back({oldest_.text(0), oldest_.text(1), time_of(oldest_.integer(2))});
    from = all.back().route + '\0';  // the least text that is greater
  }
  oldest_.reset();
  return all;
}

std::vector<std::pair<std::string, std::string>> Lookups::paused() {
  std::vector<std::pair<std::string, std::string>> all;
  paused_.bind();
  while (paused_.step()) all.emplace_back(paused_.text(0), paused_.text(1));
  return all;
}

}  // namespace rockdove::inbox
