// rockdove events list | show
#include "base/text.hpp"
#include "cli/events.hpp"
#include "inbox/event.hpp"
#include "ops/event_text.hpp"

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace rockdove::cli {
namespace {

namespace json = boost::json;
using std::chrono::system_clock;

struct Options {
  EventsServer server;
  EventsFilter filter;
  std::size_t limit = 50;
  bool oldest_first = false;
  std::string id;
  bool body = false;
};

ops::WallTime now() {
  return std::chrono::floor<std::chrono::milliseconds>(system_clock::now());
}

int list(const Options& options) {
  const AdminClient client = connect(options.server);
  Pairs pairs = pairs_of(options.filter, system_clock::now());
  if (options.oldest_first) pairs.emplace_back("order", "oldest");
  const EventsPage page = read_events(client, std::move(pairs), options.limit);
  if (options.server.json) {
    json::object out;
    out["events"] = page.events;
    out["next"] = page.next.empty() ? json::value(nullptr) : json::value(page.next);
    print_json(out);
    return 0;
  }
  if (page.events.empty()) std::cerr << "No events" << (options.filter.empty() ? "" : " that fit") << ".\n";
  else std::cout << ops::events_table(page.events, now());
  if (!page.next.empty())
    std::cerr << "There are more: --limit shows more of them, --since and the other options fewer.\n";
  return 0;
}

std::string id_error(std::string& text) {
  return inbox::parse_event_id(text) ? "" : "an event's id is evt_ and 13 letters and digits";
}

int show(const Options& options) {
  const AdminClient client = connect(options.server);
  const std::string target = "/api/v1/events/" + options.id;
  if (options.body) {
    const std::string body = client.get(target + "/body");
    // Bytes as they are, but not to a terminal: they would be commands there.
    std::cout << (::isatty(STDOUT_FILENO) ? printable(body, Lines::keep) + "\n" : body) << std::flush;
    return 0;
  }
  const json::object answer = parse_answer(client.get(target));
  if (options.server.json) print_json(answer);
  else std::cout << ops::event_text(answer, now());
  return 0;
}

}  // namespace

void add_events_list(CLI::App& events, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = events.add_subcommand("list", "List events, the newest first");
  add_server_options(*command, options->server);
  add_filter_options(*command, options->filter);
  add_until_option(*command, options->filter);
  command->add_option("--limit", options->limit, "At most so many; 50 if not given")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
  command->add_flag("--oldest-first", options->oldest_first, "The oldest first");
  command->footer("Example:\n  rockdove events list --status waiting,dead --since 1h");
  command->callback([&run, options] { run = [options] { return list(*options); }; });
}

void add_events_show(CLI::App& events, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = events.add_subcommand("show", "Show one event: its request and every attempt");
  add_server_options(*command, options->server);
  command->add_option("ID", options->id, "The event's id, as events list prints it")
      ->required()
      ->type_name("")
      ->check(CLI::Validator(id_error, ""));
  command->add_flag("--body", options->body, "Print the request's body and nothing else");
  command->footer(
      "Example:\n  rockdove events show evt_06k3yd6g00000\n"
      "  rockdove events show evt_06k3yd6g00000 --body > body.json");
  command->callback([&run, options] { run = [options] { return show(*options); }; });
}

}  // namespace rockdove::cli
