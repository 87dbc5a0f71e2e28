#include "inbox/lookups.hpp"

#include "inbox/event_rows.hpp"

#include <fmt/core.h>

#include <array>

namespace rockdove::inbox {
namespace {

constexpr std::int64_t keys_a_slice = 2'000;
/// After a quarantine: those behind it in its order are waiting by then.
constexpr auto quarantine_takes = std::chrono::milliseconds(200);

}  // namespace

Lookups::Lookups(sqlite::Database& database, SharedState& shared, Quarantine quarantine)
    : database_(database),
      shared_(shared),
      quarantine_(std::move(quarantine)),
      search_(database, shared),
      overdue_(database,
               "SELECT id, due_at FROM events INDEXED BY due WHERE route=? AND state=0 AND due_at>? "
               "ORDER BY due_at, id"),
      unscheduled_(database,
                   "SELECT id, due_at FROM events INDEXED BY due WHERE route=? AND state=0 AND due_at=0 "
                   "ORDER BY id"),
      scheduled_(database,
                 "SELECT id, due_at FROM events INDEXED BY due WHERE route=? AND state=0 "
                 "AND due_at>0 AND due_at<=? ORDER BY due_at, id"),
      old_keys_(database,
                "SELECT d.key, d.until, e.state FROM dedupe AS d INDEXED BY dedupe_until "
                "LEFT JOIN events AS e ON e.id=d.event WHERE d.until<=? AND (d.until, d.key)>(?, ?) "
                "ORDER BY d.until, d.key LIMIT ?"),
      event_(database, fmt::format("SELECT {} FROM events WHERE id=?", event_columns)),
      request_(database, fmt::format("SELECT {} FROM requests WHERE id=?", request_columns)),
      attempts_(database,
                fmt::format("SELECT {} FROM attempts WHERE event=? ORDER BY number", attempt_columns)),
      answer_(database,
              fmt::format("SELECT {} FROM attempts WHERE event=? AND status<>0 ORDER BY number DESC LIMIT 1",
                          attempt_columns)),
      next_route_(database, fmt::format("SELECT min(route) FROM (SELECT min(route) AS route FROM events "
                                        "INDEXED BY due WHERE state=0 AND route>=?1 UNION ALL "
                                        "SELECT min(route) FROM events {} AND route>=?1)",
                                        put_off)),
      oldest_(database,
              fmt::format("SELECT id, tunnel, received_at FROM events {} AND route=?1 UNION ALL "
                          "SELECT id, tunnel, received_at FROM events {} AND route=?1 ORDER BY id LIMIT 1",
                          never_put_off, put_off)),
      paused_(database, "SELECT route, reason FROM paused ORDER BY route") {}

Claimed Lookups::claim(const ClaimRequest& request) {
  has_quarantined_ = false;
  const Taken taken = take(request);
  Claimed claimed;
  claimed.next_due = taken.next_due;
  std::size_t bytes = 0;
  std::size_t at = 0;
  // The events are read in a view that begins after they were claimed: see Claims. It is one for all, since
  // what SQLite has in its cache ends with a view that somebody has changed the file after.
  database_.run("BEGIN");
  while (at < taken.ids.size() && !database_.failed() && add(taken.ids[at], request, claimed, bytes)) ++at;
  database_.run("COMMIT");
  if (database_.failed()) {
    for (const EventId id : taken.ids) shared_.claims.drop(id);
    return {};
  }
  if (has_quarantined_) {
    const WallTime soon = request.now + quarantine_takes;
    claimed.next_due = std::min(claimed.next_due.value_or(soon), soon);
  }
  for (; at < taken.ids.size(); ++at) shared_.claims.drop(taken.ids[at]);
  return claimed;
}

WallTime Lookups::Place::due(const ClaimRequest& request) const {
  return is_due && rank == 0 ? request.now : time_of(rank);
}

/// The clock may have been wrong when an event was stored or scheduled. What nobody has scheduled is due
/// since it was received, and its id tells when that was. What seems to be due after a time that nobody waits
/// for has waited for too long already.
Lookups::Place Lookups::place_of(EventId id, std::int64_t due_at, const ClaimRequest& request) {
  const bool is_overdue = due_at > to_column(request.now + request.wait_max);
  const auto now = to_column(request.now);
  if (is_overdue) return {id, due_at, true, 0};
  if (due_at == due_at_once) return {id, due_at, true, std::min(received_column(id), now)};
  return {id, due_at, due_at <= now, due_at};
}

std::optional<Lookups::Place> Lookups::next_free(sqlite::Statement& source, const ClaimRequest& request) {
  while (source.step()) {
    const auto id = static_cast<EventId>(source.integer(0));
    if (!shared_.claims.holds(id)) return place_of(id, source.integer(1), request);
  }
  return std::nullopt;
}

Lookups::Taken Lookups::take(const ClaimRequest& request) {
  const auto last = to_column(request.now + request.wait_max);
  overdue_.bind(request.route, last);
  unscheduled_.bind(request.route);
  scheduled_.bind(request.route, last);
  const std::array<sqlite::Statement*, 3> sources{&overdue_, &unscheduled_, &scheduled_};
  std::array<std::optional<Place>, 3> heads;
  for (std::size_t i = 0; i < sources.size(); ++i) heads[i] = next_free(*sources[i], request);
  Taken taken;
  for (;;) {
    std::size_t first = 0;
    for (std::size_t i = 1; i < heads.size(); ++i)
      if (heads[i] && (!heads[first] || heads[i]->rank < heads[first]->rank)) first = i;
    if (!heads[first]) break;
    const Place& next = *heads[first];
    if (!next.is_due || taken.ids.size() >= request.events_max) {
      taken.next_due = next.due(request);
      break;
    }
    if (shared_.claims.take(next.id)) taken.ids.push_back(next.id);
    heads[first] = next_free(*sources[first], request);
  }
  for (sqlite::Statement* const source : sources) source->reset();
  return taken;
}

Lookups::OldKeys Lookups::old_keys(WallTime now, const std::pair<std::int64_t, std::string>& above) {
  OldKeys found;
  std::int64_t rows = 0;
  std::pair<std::int64_t, std::string> last;
  old_keys_.bind(to_column(now), above.first, sqlite::Blob{above.second}, keys_a_slice);
  while (old_keys_.step()) {
    ++rows;
    last = {old_keys_.integer(1), old_keys_.text(0)};
    const bool has_event = !old_keys_.is_null(2);
    if (!has_event || !is_pending(static_cast<State>(old_keys_.integer(2))))
      found.keys.push_back(last.second);
  }
  if (rows == keys_a_slice) found.next = std::move(last);
  return found;
}

bool Lookups::add(EventId id, const ClaimRequest& request, Claimed& claimed, std::size_t& bytes) {
  if (!event_.bind(id).step()) {
    if (!database_.failed()) shared_.claims.drop(id);  // gone since take() looked
    return true;
  }
  DueEvent due;
  due.event = read_event(event_);
  const Place place = place_of(id, event_.integer(due_at_column), request);
  event_.reset();
  if (due.event.state != State::waiting || !place.is_due) {
    shared_.claims.drop(id);
    return true;
  }
  if (!claimed.events.empty() && bytes + due.event.bytes > request.bytes_max) {
    claimed.next_due = place.due(request);
    return false;
  }
  Result<StoredRequest> stored = Error::not_found;
  if (request_.bind(id).step()) stored = read_request(request_, due.event);
  request_.reset();
  if (database_.failed()) return true;
  if (!stored) {
    has_quarantined_ = true;
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
      auto request = read_request(request_, detail.event);
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
  while (next_route_.bind(from).step() && !next_route_.is_null(0)) {
    std::string route = next_route_.text(0);
    next_route_.reset();
    from = route + '\0';  // the least text that is greater
    if (oldest_.bind(route).step())
      all.push_back({std::move(route), oldest_.text(1), time_of(oldest_.integer(2))});
    oldest_.reset();
  }
  next_route_.reset();
  return all;
}

std::vector<std::pair<std::string, std::string>> Lookups::paused() {
  std::vector<std::pair<std::string, std::string>> all;
  paused_.bind();
  while (paused_.step()) all.emplace_back(paused_.text(0), paused_.text(1));
  return all;
}

}  // namespace rockdove::inbox
