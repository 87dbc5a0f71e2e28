#include "inbox/salvage.hpp"

#include "inbox/damaged_reader.hpp"
#include "inbox/event_rows.hpp"
#include "inbox/record.hpp"
#include "inbox/trouble.hpp"
#include "net/log.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace rockdove::inbox {
namespace {

namespace fs = std::filesystem;
using sqlite::Database;
using sqlite::Statement;

constexpr std::int64_t rows_a_commit = 1'000;
constexpr std::array parts{"", "-wal", "-shm"};
constexpr std::string_view lost_state = "its state was lost when the database was damaged";

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

DatabaseFile with_suffix(const DatabaseFile& file, const char* suffix) {
  DatabaseFile other = file;
  other.path = file.beside(suffix);
  return other;
}

void remove_parts(const DatabaseFile& file) {
  for (const char* part : parts) {
    std::error_code ignored;
    fs::remove(file.beside(part), ignored);
  }
}

/// Copies from one database to the other. A failure of the target ends it.
class Copy {
 public:
  Copy(Database& from, Database& to) : from_(from), to_(to) {}

  void all() {
    to_.run("BEGIN");
    events();
    requests();
    attempts();
    keys();
    rest();
    repair();
    to_.run("COMMIT");
  }
  std::int64_t events_copied = 0, events_without_state = 0, damaged_places = 0;

 private:
  void copied() {
    if (++rows_ % rows_a_commit == 0) to_.run("COMMIT; BEGIN");
  }
  template <class Row>
  void walk(const char* table, const char* key, const char* columns, Row row) {
    damaged_places += read_damaged(from_, table, key, columns, [&](Statement& found) {
      if (to_.failed()) return false;
      row(found);
      copied();
      return true;
    });
  }

  void events();
  void requests();
  void attempts();
  void keys();
  void rest();
  void repair();

  Database& from_;
  Database& to_;
  std::int64_t rows_ = 0;
};

void Copy::events() {
  Statement put(to_, std::string("INSERT OR IGNORE INTO events(") + event_columns +
                         ", ended_at) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  walk("events", "id", (std::string(event_columns) + ", ended_at").c_str(), [&](Statement& row) {
    const Event event = read_event(row);
    const bool is_known = static_cast<int>(event.state) < state_count;
    put.bind(event.id, event.route, event.tunnel,
             static_cast<int>(is_known ? event.state : State::quarantined), to_column(event.received_at),
             row.integer(due_at_column), to_column(event.first_attempt_at), event.attempts, event.replay,
             event.ordered, event.order_key, is_known ? std::string_view(event.reason) : lost_state,
             event.method, event.target, event.bytes, is_known ? row.integer(15) : now_ms())
        .run();
    ++events_copied;
  });
}

void Copy::requests() {
  Statement known(to_, "SELECT 1 FROM events WHERE id=?");
  Statement put(to_,
                "INSERT OR IGNORE INTO requests(id, route, tunnel, dedupe, checksum, head, body) "
                "VALUES(?,?,?,?,?,?,?)");
  Statement put_event(to_,
                      "INSERT OR IGNORE INTO events(id, route, tunnel, state, received_at, due_at, ordered, "
                      "order_key, method, target, bytes, first_attempt_at, attempts, replay, reason, "
                      "ended_at) VALUES(?,?,?,3,?,?,0,'',?,?,?,0,0,0,?,?)");
  walk("requests", "id", "id, route, tunnel, dedupe, checksum, head, body", [&](Statement& row) {
    const auto id = row.integer(0);
    const auto head = row.bytes(5), body = row.bytes(6);
    put.bind(id, row.bytes(1), row.bytes(2), sqlite::Blob{row.bytes(3)}, row.integer(4), sqlite::Blob{head},
             sqlite::Blob{body})
        .run();
    put.reset();
    const bool has_event = known.bind(id).step();
    known.reset();
    if (has_event) return;
    const auto request = decode_head(head);
    const auto received_at = received_column(static_cast<EventId>(id));
    put_event
        .bind(id, row.bytes(1), row.bytes(2), received_at, received_at,
              request ? std::string_view(request->method) : std::string_view(),
              request ? std::string_view(request->target).substr(0, listed_target_max) : std::string_view(),
              static_cast<std::int64_t>(head.size() + body.size()), lost_state, now_ms())
        .run();
    ++events_without_state;
  });
}

void Copy::attempts() {
  Statement put(to_, std::string("INSERT OR IGNORE INTO attempts(event, ") + attempt_columns +
                         ") VALUES(?,?,?,?,?,?,?,?,?)");
  walk("attempts", "event", (std::string("event, ") + attempt_columns).c_str(), [&](Statement& row) {
    put.bind(row.integer(0), row.integer(1), row.integer(2), row.integer(3), row.bytes(4), row.integer(5),
             row.bytes(6), row.bytes(7), sqlite::Blob{row.bytes(8)})
        .run();
    put.reset();
  });
}

/// From both ends, up to the damage: these tables are small or their rows short-lived.
void Copy::keys() {
  Statement put(to_, "INSERT OR IGNORE INTO dedupe(key, event, until) VALUES(?,?,?)");
  for (const char* order : {"", " DESC"}) {
    Statement get(from_, std::string("SELECT key, event, until FROM dedupe ORDER BY key") + order);
    while (!to_.failed() && get.step()) {
      put.bind(sqlite::Blob{get.bytes(0)}, get.integer(1), get.integer(2)).run();
      put.reset();
      copied();
    }
    if (!forget_damage(from_)) return;
    ++damaged_places;
  }
}

void Copy::rest() {
  Statement put_paused(to_, "INSERT OR IGNORE INTO paused(route, reason) VALUES(?,?)");
  Statement put_mark(to_, "INSERT OR IGNORE INTO marks(name, value) VALUES(?,?)");
  Statement paused(from_, "SELECT route, reason FROM paused");
  while (paused.step()) put_paused.bind(paused.bytes(0), paused.bytes(1)).run();
  forget_damage(from_);
  Statement marks(from_, "SELECT name, value FROM marks");
  while (marks.step()) put_mark.bind(marks.bytes(0), marks.integer(1)).run();
  forget_damage(from_);
}

void Copy::repair() {
  // The first of a line may be among the lost.
  to_.run(
      "UPDATE events SET state=0 WHERE state=1 AND NOT EXISTS (SELECT 1 FROM events AS e INDEXED BY line "
      "WHERE e.route=events.route AND e.order_key=events.order_key AND e.state<2 AND e.ordered=1 "
      "AND e.id<events.id);"
      // Whoever sends such an event again has the only copy of it.
      "DELETE FROM dedupe WHERE event NOT IN (SELECT id FROM events) "
      "OR event NOT IN (SELECT id FROM requests);"
      "INSERT INTO tallies(route, tunnel, state, events, bytes) "
      "SELECT route, tunnel, state, count(*), sum(bytes) FROM events GROUP BY route, tunnel, state");
}

/// Returns what went wrong.
std::string copy_readable(const DatabaseFile& damaged, const DatabaseFile& target) {
  const auto to = connect(target, Role::writer);
  migrate(*to);
  to->run("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 1000");
  Database from(damaged.path, damaged.vfs, Database::Access::read_write);
  set_up_damaged(from);
  Copy copy(from, *to);
  forget_damage(from);
  copy.all();
  if (from.failed()) return explain(from);
  // One fsync at the end is for everything that was written before.
  to->run("PRAGMA synchronous = FULL");
  to->number("PRAGMA wal_checkpoint(TRUNCATE)");
  if (to->failed()) return explain(*to);
  log::error("inbox", "{} was damaged in {} places: {} events taken over, {} more without their state",
             damaged.path.string(), copy.damaged_places, copy.events_copied, copy.events_without_state);
  return {};
}

bool has_parts(const DatabaseFile& file) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const char* part) { return fs::exists(file.beside(part)); });
}

DatabaseFile free_name(const DatabaseFile& file) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto name = fmt::format(".corrupt-{:%Y%m%dT%H%M%SZ}", now);
  DatabaseFile free = with_suffix(file, name.c_str());
  for (int number = 2; has_parts(free); ++number)
    free = with_suffix(file, fmt::format("{}-{}", name, number).c_str());
  return free;
}

/// What was renamed in it stays so over a power cut.
void sync_directory(const fs::path& directory) {
  const int descriptor =
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);  // where this cannot be done the file system has its own order
  ::close(descriptor);
}

/// The salvaged database takes its place. From any point where this was interrupted it can be begun again:
/// what is left of the damaged one goes first, above all its log, which SQLite would take for the new one's.
void put_in_place(const DatabaseFile& complete, const DatabaseFile& file) {
  if (has_parts(file)) {
    const DatabaseFile aside = free_name(file);
    for (const char* part : parts)
      if (fs::exists(file.beside(part))) fs::rename(file.beside(part), aside.beside(part));
    log::error("inbox", "the damaged database is kept as {}", aside.path.string());
    sync_directory(file.path.parent_path());
  }
  fs::rename(complete.path, file.path);
  sync_directory(file.path.parent_path());
}

}  // namespace

std::string salvage(const DatabaseFile& file) {
  const DatabaseFile growing = with_suffix(file, ".salvaging");
  const DatabaseFile complete = with_suffix(file, ".salvaged");
  try {
    if (!fs::exists(complete.path)) {
      remove_parts(growing);
      std::string failure = copy_readable(file, growing);
      if (!failure.empty()) {
        remove_parts(growing);
        return failure;
      }
      fs::rename(growing.path, complete.path);
      sync_directory(file.path.parent_path());
    }
    put_in_place(complete, file);
  } catch (const fs::filesystem_error& error) { return error.what(); }
  return {};
}

bool is_salvage_unfinished(const DatabaseFile& file) {
  std::error_code ignored;
  return fs::exists(with_suffix(file, ".salvaged").path, ignored);
}

void finish_salvage(const DatabaseFile& file) {
  remove_parts(with_suffix(file, ".salvaging"));
  if (is_salvage_unfinished(file)) put_in_place(with_suffix(file, ".salvaged"), file);
}

}  // namespace rockdove::inbox
