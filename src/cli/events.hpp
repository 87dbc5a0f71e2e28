// What the commands of "rockdove events" share: which server, which events.
#pragma once

#include "cli/admin_client.hpp"
#include "cli/commands.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::cli {

struct EventsServer {
  std::string config, data, admin;
  bool json = false;
};

/// Adds --config, --data, --admin and --json.
void add_server_options(CLI::App& command, EventsServer& server);
AdminClient connect(const EventsServer& server);

/// What was typed; empty: no restriction.
struct EventsFilter {
  std::string tunnel, route, status, since, until, text;

  bool empty() const;
};

/// Adds --tunnel, --route, --status, --since and --text.
void add_filter_options(CLI::App& command, EventsFilter& filter);
/// Adds --until: for commands that end.
void add_until_option(CLI::App& command, EventsFilter& filter);

/// The filter as keys and values of the API. "1h" becomes a time: one hour before `now`.
using Pairs = std::vector<std::pair<std::string, std::string>>;
Pairs pairs_of(const EventsFilter& filter, std::chrono::system_clock::time_point now);
std::string to_query(const Pairs& pairs);

/// One page: GET /api/v1/events.
struct EventsPage {
  boost::json::array events;
  std::string next;  ///< cursor; empty: the last page
};
EventsPage read_page(const AdminClient& client, const Pairs& pairs);

/// The events that fit, page by page, at most `limit`; `next` of the result tells whether there are more.
EventsPage read_events(const AdminClient& client, Pairs pairs, std::size_t limit);

/// Parses an answer of the API. Throws AdminError if it is not a JSON object.
boost::json::object parse_answer(const std::string& body);

/// JSON for standard output; control characters in its strings are written as escapes.
void print_json(const boost::json::value& value);

void add_events_list(CLI::App& events, Run& run);    ///< list
void add_events_show(CLI::App& events, Run& run);    ///< show
void add_events_tail(CLI::App& events, Run& run);    ///< tail
void add_events_change(CLI::App& events, Run& run);  ///< replay, purge
void add_events_pause(CLI::App& events, Run& run);   ///< pause, resume

}  // namespace rockdove::cli
