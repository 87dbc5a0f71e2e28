// rockdove events tail
#include "base/rfc3339.hpp"
#include "cli/events.hpp"
#include "inbox/event.hpp"
#include "ops/event_text.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <thread>

namespace rockdove::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds poll{500};

struct Options {
  EventsServer server;
  EventsFilter filter;
};

inbox::EventId id_of(const json::value& event) {
  const json::value* id = event.is_object() ? event.get_object().if_contains("id") : nullptr;
  const auto parsed = inbox::parse_event_id(id && id->is_string() ? std::string_view(id->get_string()) : "");
  if (!parsed) throw AdminError(0, "the server does not answer as rockdove does");
  return *parsed;
}

/// 0 if the inbox is empty.
inbox::EventId newest(const AdminClient& client) {
  const EventsPage page = read_page(client, {{"limit", "1"}});
  return page.events.empty() ? 0 : id_of(page.events.front());
}

/// The greatest id that is not to be shown: the one before --since, else the newest there is.
inbox::EventId beginning(const AdminClient& client, const std::string& since) {
  if (since.empty()) return newest(client);
  const auto id = inbox::parse_event_id(since);
  const auto time = parse_rfc3339(since);
  const inbox::EventId first = id ? *id : time ? inbox::first_id_at(*time) : 0;
  return first == 0 ? 0 : first - 1;
}

void print(const json::array& events, bool as_json) {
  for (const json::value& event : events) {
    if (as_json) print_json(event);
    else std::cout << ops::tail_line(event) << std::flush;
  }
}

/// Prints what came after `seen` and returns the new `seen`: the newest event at this look, whether it fits
/// or not, so that a filter that seldom fits does not search the same events again.
inbox::EventId look(const AdminClient& client, Pairs filter, inbox::EventId seen, bool as_json) {
  const inbox::EventId last = newest(client);
  if (last <= seen) return seen;
  filter.emplace_back("since", inbox::format_event_id(seen + 1));
  filter.emplace_back("until", inbox::format_event_id(last + 1));
  filter.emplace_back("order", "oldest");
  print(read_events(client, std::move(filter), std::numeric_limits<std::size_t>::max()).events, as_json);
  return last;
}

int tail(const Options& options) {
  // What has been said is flushed, so there is nothing to tidy up.
  std::signal(SIGINT, [](int) { std::_Exit(0); });
  std::signal(SIGTERM, [](int) { std::_Exit(0); });
  const AdminClient client = connect(options.server);
  Pairs filter = pairs_of(options.filter, std::chrono::system_clock::now());
  std::string since;
  std::erase_if(filter, [&](const auto& pair) {
    if (pair.first == "since") since = pair.second;
    return pair.first == "since";
  });
  inbox::EventId seen = beginning(client, since);
  if (!options.server.json) std::cout << ops::tail_head() << std::flush;
  for (bool is_lost = false;; std::this_thread::sleep_for(poll)) {
    try {
      seen = look(client, filter, seen, options.server.json);
      is_lost = false;
    } catch (const AdminError& error) {
      // A server that restarts comes back; one that refuses us will do so again.
      if (error.status != 0 && error.status < 500) throw;
      if (!std::exchange(is_lost, true)) std::cerr << "rockdove: " << error.what() << " Trying again.\n";
    }
  }
}

}  // namespace

void add_events_tail(CLI::App& events, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = events.add_subcommand("tail", "Print events as they come, until Ctrl-C");
  add_server_options(*command, options->server);
  add_filter_options(*command, options->filter);
  command->footer(
      "With --since it begins with the events that are there already; with --json it prints one object a "
      "line.\n\nExample:\n  rockdove events tail --route feishu");
  command->callback([&run, options] { run = [options] { return tail(*options); }; });
}

}  // namespace rockdove::cli
