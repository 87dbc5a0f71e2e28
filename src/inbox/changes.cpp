#include "inbox/changes.hpp"

#include "inbox/event_rows.hpp"
#include "inbox/record.hpp"
#include "net/crypto.hpp"

#include <algorithm>

namespace rockdove::inbox {
namespace {

constexpr std::size_t dedupe_bytes = 16;  // of SHA-256: two keys of a window do not meet by chance

}  // namespace

PreparedEvent prepare(NewEvent event) {
  PreparedEvent prepared;
  prepared.head = encode_head(event.request);
  prepared.checksum = checksum({event.route, event.tunnel, prepared.head, event.request.body});
  if (!event.dedupe_key.empty())
    prepared.dedupe = net::sha256(std::to_string(event.route.size()) + ":" + event.route + event.dedupe_key)
                          .substr(0, dedupe_bytes);
  prepared.event = std::move(event);
  return prepared;
}

Changes::Changes(sqlite::Database& database, SharedState& shared, EventId& last_id)
    : database_(database),
      shared_(shared),
      last_id_(last_id),
      insert_request_(database,
                      "INSERT INTO requests(id, route, tunnel, dedupe, checksum, head, body) "
                      "VALUES(?,?,?,?,?,?,?)"),
      insert_event_(database,
                    "INSERT INTO events(id, route, tunnel, state, received_at, due_at, ordered, "
                    "order_key, method, target, bytes, first_attempt_at, attempts, replay, reason, "
                    "ended_at) VALUES(?,?,?,?,?,?,?,?,?,?,?,0,0,0,'',0)"),
      find_event_(database,
                  "SELECT route, tunnel, state, attempts, first_attempt_at, ordered, order_key, bytes "
                  "FROM events WHERE id=?"),
      find_key_(database, "SELECT event, until FROM dedupe WHERE key=?"),
      insert_key_(database, "INSERT OR REPLACE INTO dedupe(key, event, until) VALUES(?,?,?)"),
      delete_key_(database, "DELETE FROM dedupe WHERE key=? AND event=?"),
      in_line_(database,
               "SELECT id, state FROM events INDEXED BY line "
               "WHERE route=? AND order_key=? AND state<2 AND ordered=1 ORDER BY id LIMIT 1"),
      promote_(database, "UPDATE events SET state=0 WHERE id=?"),
      retry_(database, "UPDATE events SET due_at=?, attempts=?, first_attempt_at=? WHERE id=?"),
      end_(database,
           "UPDATE events SET state=?, reason=?, ended_at=?, attempts=?, first_attempt_at=? WHERE id=?"),
      insert_attempt_(database,
                      "INSERT OR REPLACE INTO attempts(event, number, started_at, took_ms, agent, "
                      "status, error, type, body) VALUES(?,?,?,?,?,?,?,?,?)"),
      trim_attempts_(database, "DELETE FROM attempts WHERE event=? AND number>? AND number<=?"),
      replay_(database,
              "UPDATE events SET state=0, due_at=?, replay=1, ordered=0, order_key='', reason='', "
              "first_attempt_at=0, ended_at=0 WHERE id=?"),
      hurry_(database, "UPDATE events SET due_at=min(due_at, ?) WHERE id=?"),
      move_(database, "UPDATE events SET due_at=? WHERE id=?"),
      old_(database,
           "SELECT id FROM events INDEXED BY ended WHERE state=? AND state>=2 AND ended_at<=? "
           "ORDER BY ended_at LIMIT ?"),
      oldest_(database,
              "SELECT id, ended_at FROM events INDEXED BY ended WHERE state=? AND state>=2 "
              "ORDER BY ended_at LIMIT 1"),
      delete_event_(database, "DELETE FROM events WHERE id=?"),
      delete_request_(database, "DELETE FROM requests WHERE id=?"),
      delete_attempts_(database, "DELETE FROM attempts WHERE event=?"),
      request_key_(database, "SELECT dedupe FROM requests WHERE id=?"),
      delete_old_key_(database,
                      "DELETE FROM dedupe WHERE key=? AND until<=? "
                      "AND NOT EXISTS (SELECT 1 FROM events WHERE id=dedupe.event AND state<2)"),
      pause_(database, "INSERT OR REPLACE INTO paused(route, reason) VALUES(?,?)"),
      resume_(database, "DELETE FROM paused WHERE route=?"),
      tally_(database,
             "INSERT INTO tallies(route, tunnel, state, events, bytes) VALUES(?,?,?,?,?) ON CONFLICT "
             "DO UPDATE SET events=events+excluded.events, bytes=bytes+excluded.bytes"),
      mark_(database, "INSERT OR REPLACE INTO marks(name, value) VALUES('last_id',?)") {}

bool Changes::begin() {
  return database_.run("BEGIN IMMEDIATE");
}

bool Changes::commit() {
  save_tallies();
  // Ids must not come back when the greatest of them is gone.
  if (marks_) mark_.bind(last_id_).run();
  if (!database_.run("COMMIT")) return false;
  shared_.tallies.add(delta_);
  for (const EventId id : dropped_) shared_.claims.drop(id);
  forget();
  return true;
}

void Changes::roll_back() {
  database_.forget_failure();
  if (!database_.is_idle()) database_.run("ROLLBACK");
  for (const EventId id : taken_) shared_.claims.drop(id);
  forget();
}

/// What the transaction had noted is settled, either way.
void Changes::forget() {
  for (const EventId id : reserved_) shared_.claims.drop(id);
  delta_.clear();
  dropped_.clear();
  reserved_.clear();
  taken_.clear();
  marks_ = false;
}

void Changes::save_tallies() {
  for (const auto& [key, count] : delta_)
    if (count.events != 0 || count.bytes != 0)
      tally_
          .bind(std::get<0>(key), std::get<1>(key), static_cast<int>(std::get<State>(key)), count.events,
                count.bytes)
          .run();
}

void Changes::count(const Row& row, State state, int sign) {
  Count& count = delta_[{row.route, row.tunnel, state}];
  count.events += sign;
  count.bytes += sign * row.bytes;
}

std::optional<Changes::Row> Changes::find(EventId id) {
  if (!find_event_.bind(id).step()) return std::nullopt;
  Row row;
  row.id = id;
  row.route = find_event_.text(0);
  row.tunnel = find_event_.text(1);
  row.state = static_cast<State>(find_event_.integer(2));
  row.attempts = static_cast<int>(find_event_.integer(3));
  row.first_attempt_at = find_event_.integer(4);
  row.ordered = find_event_.integer(5) != 0;
  row.order_key = find_event_.text(6);
  row.bytes = find_event_.integer(7);
  find_event_.reset();
  return row;
}

std::uint64_t Changes::pending_bytes() const {
  auto bytes = shared_.tallies.sums().pending_bytes;
  for (const auto& [key, count] : delta_)
    if (is_pending(std::get<State>(key))) bytes += static_cast<std::uint64_t>(count.bytes);
  return bytes;
}

/// The event that makes this one a duplicate. One whose request is lost does not: this may be the only good
/// copy, and twice is better than never.
std::optional<Changes::Row> Changes::find_earlier(const PreparedEvent& prepared) {
  if (prepared.dedupe.empty() || !find_key_.bind(sqlite::Blob{prepared.dedupe}).step()) return std::nullopt;
  const auto id = static_cast<EventId>(find_key_.integer(0));
  const auto until = time_of(find_key_.integer(1));
  find_key_.reset();
  auto row = find(id);
  if (!row || row->state == State::quarantined) return std::nullopt;
  if (!is_pending(row->state) && prepared.event.received_at >= until) return std::nullopt;
  return row;
}

Result<Appended> Changes::append(const PreparedEvent& prepared) {
  const NewEvent& event = prepared.event;
  if (const auto earlier = find_earlier(prepared)) return Appended{earlier->id, true, earlier->state, false};
  if (pending_bytes() >= shared_.retention().bytes_max) {
    shared_.health.set_over_limit(true);
    return Error::unavailable;
  }
  Appended appended;
  last_id_ = std::max(last_id_ + 1, first_id_at(event.received_at));
  appended.id = last_id_;
  if (event.ordered) {
    if (in_line_.bind(event.route, event.order_key).step()) appended.state = State::queued;
    in_line_.reset();
  }
  insert(prepared, appended);
  if (event.claim && appended.state == State::waiting) {
    appended.claimed = shared_.claims.take(appended.id);
    taken_.push_back(appended.id);
  }
  return appended;
}

void Changes::insert(const PreparedEvent& prepared, const Appended& appended) {
  const NewEvent& event = prepared.event;
  const std::string_view body = event.request.body;
  const auto bytes = static_cast<std::int64_t>(prepared.head.size() + body.size());
  insert_request_
      .bind(appended.id, event.route, event.tunnel, sqlite::Blob{prepared.dedupe}, prepared.checksum,
            sqlite::Blob{prepared.head}, sqlite::Blob{body})
      .run();
  insert_request_.reset();
  insert_event_
      .bind(appended.id, event.route, event.tunnel, static_cast<int>(appended.state),
            to_column(event.received_at), due_at_once, event.ordered,
            event.ordered ? std::string_view(event.order_key) : std::string_view(), event.request.method,
            std::string_view(event.request.target).substr(0, listed_target_max), bytes)
      .run();
  if (!prepared.dedupe.empty())
    insert_key_.bind(sqlite::Blob{prepared.dedupe}, appended.id, to_column(event.dedupe_until)).run();
  Row row;
  row.route = event.route;
  row.tunnel = event.tunnel;
  row.bytes = bytes;
  count(row, appended.state, +1);
}

void Changes::settle(const Settlement& settlement) {
  if (!is_claimed(settlement.id)) return;
  dropped_.insert(settlement.id);
  auto row = find(settlement.id);
  if (!row || row->state != State::waiting) return;
  record(settlement, *row);
  using Verdict = Settlement::Verdict;
  switch (settlement.verdict) {
    case Verdict::release:
      if (settlement.due_at != WallTime{}) move_.bind(to_column(settlement.due_at), row->id).run();
      return;
    case Verdict::retry:
      retry_.bind(to_column(settlement.due_at), row->attempts, row->first_attempt_at, row->id).run();
      return;
    case Verdict::done: end(*row, State::done, {}, settlement.now); return;
    case Verdict::dead: end(*row, State::dead, settlement.reason, settlement.now); return;
  }
}

void Changes::record(const Settlement& settlement, Row& row) {
  if (!settlement.attempt) return;
  const Attempt& attempt = *settlement.attempt;
  const auto started = to_column(attempt.started_at);
  const bool is_retried = settlement.verdict == Settlement::Verdict::retry;
  ++row.attempts;
  if (row.first_attempt_at == 0) row.first_attempt_at = started;
  insert_attempt_
      .bind(row.id, row.attempts, started, static_cast<std::int64_t>(attempt.took.count()), attempt.agent,
            attempt.status, attempt.error, attempt.type,
            sqlite::Blob{std::string_view(attempt.body)
                             .substr(0, is_retried ? retried_answer_bytes_max : answer_bytes_max)})
      .run();
  insert_attempt_.reset();
  const int newest = row.attempts - newest_attempts_kept;
  if (newest > first_attempts_kept) trim_attempts_.bind(row.id, first_attempts_kept, newest).run();
}

void Changes::end(const Row& row, State state, const std::string& reason, WallTime now) {
  end_.bind(static_cast<int>(state), reason, to_column(now), row.attempts, row.first_attempt_at, row.id)
      .run();
  count(row, row.state, -1);
  count(row, state, +1);
  promote(row);
}

void Changes::promote(const Row& row) {
  if (!row.ordered || !in_line_.bind(row.route, row.order_key).step()) return;
  const auto id = static_cast<EventId>(in_line_.integer(0));
  const auto state = static_cast<State>(in_line_.integer(1));
  in_line_.reset();
  if (state != State::queued) return;
  promote_.bind(id).run();
  const auto next = find(id);
  if (!next) return;
  count(*next, State::queued, -1);
  count(*next, State::waiting, +1);
}

void Changes::quarantine(EventId id, const std::string& reason, WallTime now) {
  dropped_.insert(id);
  const auto row = find(id);
  if (row && row->state == State::waiting) end(*row, State::quarantined, reason, now);
}

std::size_t Changes::replay(const std::vector<EventId>& ids, WallTime now) {
  std::size_t due = 0;
  for (const EventId id : ids) {
    const auto row = find(id);
    if (!row || is_claimed(id)) continue;
    if (row->state == State::queued || row->state == State::quarantined) continue;
    ++due;
    if (row->state == State::waiting) {
      hurry_.bind(to_column(now), id).run();
      continue;
    }
    replay_.bind(to_column(now), id).run();
    count(*row, row->state, -1);
    count(*row, State::waiting, +1);
  }
  return due;
}

void Changes::set_paused(const std::string& route, const std::string& reason) {
  if (reason.empty()) resume_.bind(route).run();
  else pause_.bind(route, reason).run();
}

Loaded load(sqlite::Database& database) {
  Loaded loaded;
  sqlite::Statement tallies(database,
                            "SELECT route, tunnel, state, events, bytes FROM tallies WHERE events<>0");
  while (tallies.step()) {
    Count& count = loaded.counts[{tallies.text(0), tallies.text(1), static_cast<State>(tallies.integer(2))}];
    count = {tallies.integer(3), tallies.integer(4)};
  }
  const auto mark = database.number("SELECT value FROM marks WHERE name='last_id'").value_or(0);
  const auto greatest = database.number("SELECT max(id) FROM events").value_or(0);
  loaded.last_id = static_cast<EventId>(std::max(mark, greatest));
  return loaded;
}

}  // namespace rockdove::inbox
