#include "inbox/damaged_reader.hpp"

#include <sqlite3.h>

#include <limits>

namespace rockdove::inbox {
namespace {

constexpr int busy_ms = 3'000;
constexpr auto last_key = std::numeric_limits<std::int64_t>::max();

/// Finds keys in a table some of whose pages cannot be read.
class Probe {
 public:
  Probe(sqlite::Database& database, const std::string& table, const std::string& key)
      : database_(database),
        first_(database,
               "SELECT " + key + " FROM " + table + " WHERE " + key + ">=? ORDER BY " + key + " LIMIT 1") {}

  /// The least key that can be found and is at least `from`, a place where reading fails; nothing if there is
  /// no more.
  std::optional<std::int64_t> after(std::int64_t from) {
    std::int64_t bad = from;
    std::int64_t good = from;
    for (std::int64_t step = 1; !is_readable(good); step *= 2) {
      bad = good;
      if (good > last_key - step) return std::nullopt;
      good += step;
    }
    while (good - bad > 1) {
      const auto middle = bad + (good - bad) / 2;
      (is_readable(middle) ? good : bad) = middle;
    }
    return find(good);
  }

 private:
  bool is_readable(std::int64_t from) {
    first_.bind(from).step();
    first_.reset();
    return !forget_damage(database_);  // true also for a failure that ends it all
  }
  std::optional<std::int64_t> find(std::int64_t from) {
    std::optional<std::int64_t> found;
    if (first_.bind(from).step()) found = first_.integer(0);
    first_.reset();
    forget_damage(database_);
    return found;
  }

  sqlite::Database& database_;
  sqlite::Statement first_;
};

}  // namespace

std::int64_t read_damaged(sqlite::Database& database, const std::string& table, const std::string& key,
                          const std::string& columns, const std::function<bool(sqlite::Statement&)>& row) {
  sqlite::Statement rows(database,
                         "SELECT " + columns + " FROM " + table + " WHERE " + key + ">=? ORDER BY " + key);
  Probe probe(database, table, key);
  if (database.failed()) return forget_damage(database) ? 1 : 0;  // not even the schema can be read
  std::int64_t places = 0;
  std::int64_t from = 0;
  for (;;) {
    std::int64_t last = from - 1;
    rows.bind(from);
    while (rows.step()) {
      last = rows.integer(0);
      if (!row(rows)) return places;
    }
    rows.reset();
    if (!forget_damage(database)) return places;
    ++places;
    // The row after the last good one: its page is bad, or only what hangs on it (then it can be found, but
    // not read, and is stepped over).
    const bool has_moved = last >= from;
    const auto next = probe.after(has_moved ? last + 1 : from);
    if (!next) return places;
    from = has_moved || *next > from ? *next : *next + 1;
  }
}

bool forget_damage(sqlite::Database& database) {
  using sqlite::Trouble;
  const Trouble trouble = database.trouble();
  // "Other" is what remains of a schema, above all: no such table.
  const bool is_damage = !database.lacks_memory() &&
                         (trouble == Trouble::corrupt || trouble == Trouble::io || trouble == Trouble::other);
  if (is_damage) database.forget_failure();
  return is_damage;
}

void set_up_damaged(sqlite::Database& database) {
  if (!database.handle()) return;
  sqlite3_busy_timeout(database.handle(), busy_ms);
  database.keep_log();
}

}  // namespace rockdove::inbox
