#include "inbox/search.hpp"

#include "inbox/event_rows.hpp"
#include "inbox/record.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

namespace rockdove::inbox {
namespace {

constexpr std::size_t limit_max = 1'000;
constexpr std::size_t rows_a_look = 64;       // at the clock
constexpr std::uint64_t few_pending = 5'000;  // sorting so many for a page takes some milliseconds
constexpr auto greatest = static_cast<EventId>(std::numeric_limits<std::int64_t>::max());

/// `source` names an index and its condition; both bounds, ?1 and ?2, are exclusive.
std::string rows(std::string_view source) {
  return fmt::format("SELECT {} FROM events {} AND id>?1 AND id<?2", event_columns, source);
}

std::string sort(std::string_view rows, bool oldest_first) {
  return fmt::format("{} ORDER BY id{}", rows, oldest_first ? "" : " DESC");
}

/// What waits or is queued, of the route ?3 or of all: SQLite merges two lists that are in order.
std::string select_pending(bool of_route, bool oldest_first) {
  const std::string_view route = of_route ? " AND route=?3" : "";
  const auto first = rows(fmt::format("{}{}", never_put_off, route));
  const auto second = rows(fmt::format("{}{}", put_off, route));
  return sort(fmt::format("{} UNION ALL {}", first, second), oldest_first);
}

bool are_all(const std::vector<State>& states, State first, State second) {
  return !states.empty() && std::all_of(states.begin(), states.end(),
                                        [=](State each) { return each == first || each == second; });
}

constexpr const char* all = "NOT INDEXED WHERE 1";
constexpr const char* failed = "INDEXED BY failed WHERE state>=3";

}  // namespace

Search::Search(sqlite::Database& database, SharedState& shared)
    : shared_(shared),
      newest_(database, sort(rows(all), false)),
      oldest_(database, sort(rows(all), true)),
      newest_failed_(database, sort(rows(failed), false)),
      oldest_failed_(database, sort(rows(failed), true)),
      newest_pending_(database, select_pending(false, false)),
      oldest_pending_(database, select_pending(false, true)),
      newest_pending_of_(database, select_pending(true, false)),
      oldest_pending_of_(database, select_pending(true, true)),
      record_(database, "SELECT head, body FROM requests WHERE id=?") {}

sqlite::Statement& Search::candidates(const PageRequest& request) {
  const Filter& filter = request.filter;
  const bool up = request.oldest_first;
  EventId above = filter.from == 0 ? 0 : filter.from - 1;
  EventId below = filter.until == 0 ? greatest : std::min(filter.until, greatest);
  if (request.cursor != 0 && up) above = std::max(above, request.cursor);
  if (request.cursor != 0 && !up) below = std::min(below, request.cursor);
  above = std::min(above, greatest);
  if (are_all(filter.states, State::dead, State::quarantined))
    return (up ? oldest_failed_ : newest_failed_).bind(above, below);
  if (are_all(filter.states, State::waiting, State::queued)) {
    if (!filter.route.empty())
      return (up ? oldest_pending_of_ : newest_pending_of_).bind(above, below, filter.route);
    if (shared_.tallies.sums().pending_events <= few_pending)
      return (up ? oldest_pending_ : newest_pending_).bind(above, below);
  }
  return (up ? oldest_ : newest_).bind(above, below);
}

Page Search::page(const PageRequest& request, net::Duration time) {
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, limit_max);
  const auto end = net::Clock::now() + time;
  const std::size_t look_every = request.filter.text.empty() ? rows_a_look : 1;
  Page page;
  EventId seen = 0;
  sqlite::Statement& row = candidates(request);
  for (std::size_t rows = 1; row.step(); ++rows) {
    if (page.events.size() == limit) {
      page.next = page.events.back().id;
      break;
    }
    Event event = read_event(row);
    seen = event.id;
    if (matches(event, request.filter)) page.events.push_back(std::move(event));
    if (rows % look_every == 0 && net::Clock::now() >= end) {
      page.next = seen;
      break;
    }
  }
  row.reset();
  return page;
}

Search::Found Search::ids(const Filter& filter, EventId cursor, std::size_t limit, net::Duration time) {
  PageRequest request;
  request.filter = filter;
  request.cursor = cursor;
  request.limit = limit;
  request.oldest_first = true;
  Found found;
  const Page found_page = page(request, time);
  found.next = found_page.next;
  for (const Event& event : found_page.events)
    if (!shared_.claims.holds(event.id)) found.ids.push_back(event.id);
  return found;
}

bool Search::matches(const Event& event, const Filter& filter) {
  if (!filter.tunnel.empty() && event.tunnel != filter.tunnel) return false;
  if (!filter.route.empty() && event.route != filter.route) return false;
  const auto& states = filter.states;
  if (!states.empty() && std::find(states.begin(), states.end(), event.state) == states.end()) return false;
  return filter.text.empty() || has_text(event.id, filter.text);
}

bool Search::has_text(EventId id, const std::string& text) {
  const auto has = [&](std::string_view in) { return in.find(text) != std::string_view::npos; };
  bool found = false;
  if (record_.bind(id).step()) {
    // Not checked against its checksum, which would take most of the time of a search.
    found = has(record_.bytes(1));
    const auto request = found ? Result<StoredRequest>(Error::not_found) : decode_head(record_.bytes(0));
    if (request) {
      found = has(request->target);
      for (const http::Fields::Field field : request->fields) found = found || has(field.value);
    }
  }
  record_.reset();
  return found;
}

}  // namespace rockdove::inbox
