#include "inbox/event_query.hpp"

#include "base/percent.hpp"
#include "base/rfc3339.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>

namespace rockdove::inbox {
namespace {

constexpr std::size_t text_bytes_max = 1024;
constexpr EventId id_max = std::numeric_limits<std::int64_t>::max();

/// The first piece of `rest` before `separator`, cut off with it.
std::string_view cut(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto piece = rest.substr(0, at);
  rest.remove_prefix(at == rest.npos ? rest.size() : at + 1);
  return piece;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

/// The least id of the events that are meant: those since a moment, or since an event.
Read<EventId> parse_bound(std::string_view key, std::string_view value) {
  if (const auto id = parse_event_id(value)) return std::min(*id, id_max);
  const auto time = parse_rfc3339(value);
  if (!time)
    return Complaint{std::string(key) + ": " + quoted(value) +
                     " is neither an event's id nor a time such as 2026-11-23T04:00:00Z (a + is written %2B "
                     "in a query)"};
  // Far in the future an id would overflow, and what was meant to be late would become early.
  constexpr auto latest = std::chrono::milliseconds(id_max >> 20);
  return time->time_since_epoch() > latest ? id_max : first_id_at(*time);
}

Read<std::vector<State>> parse_states(std::string_view value) {
  std::vector<State> states;
  for (std::string_view rest = value; !rest.empty();) {
    const auto name = cut(rest, ',');
    const auto state = state_named(name);
    if (!state)
      return Complaint{"status: " + quoted(name) + " is none of waiting, queued, done, dead, quarantined"};
    if (std::ranges::find(states, *state) == states.end()) states.push_back(*state);
  }
  if (value.ends_with(',')) return Complaint{"status: there is nothing after the last comma"};
  return states;
}

Read<std::size_t> parse_limit(std::string_view value) {
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
  if (error != std::errc{} || end != value.data() + value.size() || limit < 1 || limit > 1000)
    return Complaint{"limit: " + quoted(value) + " is not a number from 1 to 1000"};
  return limit;
}

/// Takes limit, cursor, order into `page`; false for other keys.
Read<bool> add_to_page(PageRequest& page, std::string_view key, std::string_view value) {
  if (key == "limit") {
    const auto limit = parse_limit(value);
    if (!limit) return limit.error();
    page.limit = *limit;
    return true;
  }
  if (key == "cursor") {
    const auto cursor = parse_event_id(value);
    if (!cursor || *cursor == 0)
      return Complaint{"cursor: " + quoted(value) + " is not the \"next\" of an earlier page"};
    page.cursor = *cursor;
    return true;
  }
  if (key != "order") return false;
  if (value != "oldest" && value != "newest")
    return Complaint{"order: " + quoted(value) + " is neither oldest nor newest"};
  page.oldest_first = value == "oldest";
  return true;
}

}  // namespace

void throw_exception_from_error(const Complaint& complaint, const boost::source_location&) {
  throw std::logic_error(complaint.text);
}

Read<std::vector<Pair>> parse_query(std::string_view query) {
  std::vector<Pair> pairs;
  while (!query.empty()) {
    std::string_view value = cut(query, '&');
    if (value.empty()) return Complaint{"the query has an empty part"};
    const auto encoded_key = cut(value, '=');
    auto key = query_decode(encoded_key);
    auto decoded = query_decode(value);
    if (!key || !decoded)
      return Complaint{"the query has a % without two hex digits: write the sign itself as %25"};
    if (decoded->empty()) return Complaint{quoted(*key) + " has no value: leave it out, or say which"};
    const auto is_same = [&](const Pair& other) { return other.first == *key; };
    if (std::ranges::any_of(pairs, is_same)) return Complaint{quoted(*key) + " is there twice"};
    pairs.emplace_back(std::move(*key), std::move(*decoded));
  }
  return pairs;
}

Read<bool> add_to_filter(Filter& filter, std::string_view key, std::string_view value) {
  if (key != "tunnel" && key != "route" && key != "status" && key != "since" && key != "until" &&
      key != "text")
    return false;
  if (value.empty()) return Complaint{quoted(key) + " has no value: leave it out, or say which"};
  if (key == "tunnel") {
    filter.tunnel = value;
  } else if (key == "route") {
    filter.route = value;
  } else if (key == "text") {
    if (value.size() > text_bytes_max) return Complaint{"text is longer than 1024 bytes"};
    filter.text = value;
  } else if (key == "status") {
    auto states = parse_states(value);
    if (!states) return states.error();
    filter.states = std::move(*states);
  } else {
    const auto bound = parse_bound(key, value);
    if (!bound) return bound.error();
    // An `until` before all events is still a limit: zero would be none.
    if (key == "since") filter.from = *bound;
    else filter.until = std::max<EventId>(*bound, 1);
  }
  return true;
}

bool restricts_nothing(const Filter& filter) {
  return filter.tunnel.empty() && filter.route.empty() && filter.states.empty() && filter.from == 0 &&
         filter.until == 0 && filter.text.empty();
}

Read<PageRequest> parse_page_request(std::string_view query) {
  auto pairs = parse_query(query);
  if (!pairs) return pairs.error();
  PageRequest page;
  for (const auto& [key, value] : *pairs) {
    auto known = add_to_filter(page.filter, key, value);
    if (known && !*known) known = add_to_page(page, key, value);
    if (!known) return known.error();
    if (!*known)
      return Complaint{quoted(key) + " is unknown: there are " + std::string(filter_keys) +
                       ", limit, cursor, order"};
  }
  return page;
}

}  // namespace rockdove::inbox
