// rockdove events replay | purge
#include "cli/events.hpp"
#include "cli/progress.hpp"
#include "inbox/event.hpp"
#include "ops/event_text.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rockdove::cli {
namespace {

namespace json = boost::json;
using std::chrono::system_clock;

constexpr std::size_t batch_max = 1000;  // of the API
constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

struct Options {
  EventsServer server;
  EventsFilter filter;
  std::vector<std::string> ids;
  std::string rate;
  bool yes = false;
  bool all = false;
};

/// "10/s", "600/m" or "36000/h" as events a second; 0 for anything else.
double parse_rate(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error != std::errc{}) return 0;
  return unit == "/s" ? count : unit == "/m" ? count / 60.0 : unit == "/h" ? count / 3600.0 : 0;
}

std::string rate_error(std::string& text) {
  return parse_rate(text) > 0 ? "" : "write a number and /s, /m or /h, such as 10/s";
}

std::string id_error(std::string& text) {
  return inbox::parse_event_id(text) ? "" : "an event's id is evt_ and 13 letters and digits";
}

std::size_t count_in(const json::object& answer, const char* key) {
  const json::value* value = answer.if_contains(key);
  if (!value || !value->is_number()) throw AdminError(0, "the server does not answer as rockdove does");
  return value->to_number<std::size_t>();
}

/// Replays all of `ids`, no faster than `rate` events a second if that is not 0. Returns how many are due
/// now.
std::size_t replay_all(const AdminClient& client, const std::vector<std::string>& ids, double rate) {
  // Half a second's worth at a time: slow enough for the upstream, and the bar moves.
  const auto batch =
      rate > 0 ? std::clamp<std::size_t>(static_cast<std::size_t>(rate / 2), 1, batch_max) : batch_max;
  Progress progress("replayed", ids.size());
  const auto start = std::chrono::steady_clock::now();
  std::size_t replayed = 0;
  for (std::size_t at = 0; at < ids.size(); at += batch) {
    if (rate > 0) std::this_thread::sleep_until(start + std::chrono::duration<double>(double(at) / rate));
    json::array some;
    for (std::size_t i = at; i < std::min(at + batch, ids.size()); ++i) some.emplace_back(ids[i]);
    json::object question;
    question["ids"] = std::move(some);
    replayed +=
        count_in(parse_answer(client.post("/api/v1/events/replay", json::serialize(question))), "replayed");
    progress.show(std::min(at + batch, ids.size()));
  }
  return replayed;
}

std::vector<std::string> ids_of(const json::array& events) {
  std::vector<std::string> ids;
  for (const json::value& event : events)
    if (const json::value* id = event.is_object() ? event.get_object().if_contains("id") : nullptr)
      if (id->is_string()) ids.emplace_back(id->get_string());
  return ids;
}

int replay(const Options& options) {
  const AdminClient client = connect(options.server);
  std::vector<std::string> ids = options.ids;
  if (ids.empty()) {
    EventsFilter filter = options.filter;
    if (filter.status.empty()) filter.status = "dead";
    Pairs pairs = pairs_of(filter, system_clock::now());
    pairs.emplace_back("order", "oldest");
    const json::array events = read_events(client, std::move(pairs), everything).events;
    ids = ids_of(events);
    if (!ids.empty() && !options.yes && !confirm("Replay " + ops::count_text(events) + "?")) return 1;
  }
  const std::size_t replayed = replay_all(client, ids, parse_rate(options.rate));
  if (options.server.json) print_json({{"asked", ids.size()}, {"replayed", replayed}});
  else std::cout << "Replayed " << replayed << " of " << ids.size() << ".\n";
  if (replayed == ids.size()) return 0;
  std::cerr << "The others are being delivered just now, wait for an earlier one of their order, or are not "
               "there any more.\n";
  return options.ids.empty() ? 0 : 1;
}

int purge(const Options& options) {
  const AdminClient client = connect(options.server);
  const Pairs pairs = pairs_of(options.filter, system_clock::now());
  std::size_t total = 0;
  if (!options.yes) {
    const json::array events = read_events(client, pairs, everything).events;
    total = events.size();
    if (total != 0 && !confirm("Purge " + ops::count_text(events) + " for good?")) return 1;
  }
  json::object question;
  for (const auto& [key, value] : pairs) question[key] = value;
  if (options.all) question["all"] = true;
  std::size_t purged = 0;
  {
    Progress progress("purged", total);
    for (bool more = true; more; progress.show(purged)) {
      const auto answer = parse_answer(client.post("/api/v1/events/purge", json::serialize(question)));
      const json::value* rest = answer.if_contains("more");
      more = rest && *rest == true;
      purged += count_in(answer, "purged");
    }
  }
  if (options.server.json) print_json({{"purged", purged}});
  else std::cout << "Purged " << purged << (purged == 1 ? " event" : " events") << ".\n";
  return 0;
}

}  // namespace

void add_events_change(CLI::App& events, Run& run) {
  auto again = std::make_shared<Options>();
  CLI::App* command = events.add_subcommand(
      "replay",
      "Deliver events again: those named, or all that fit the options (dead ones if --status is not given)");
  add_server_options(*command, again->server);
  add_filter_options(*command, again->filter);
  add_until_option(*command, again->filter);
  command->add_option("ID", again->ids, "Ids of events, as events list prints them")
      ->type_name("")
      ->check(CLI::Validator(id_error, ""));
  command->add_option("--rate", again->rate, "No faster than this")
      ->type_name("N/s")
      ->check(CLI::Validator(rate_error, ""));
  command->add_flag("--yes", again->yes, "Do not ask before replaying all that fit");
  command->footer(
      "Example:\n  rockdove events replay evt_06k3yd6g00000\n"
      "  rockdove events replay --route feishu --status dead --since 1d --rate 10/s");
  command->callback([&run, again] {
    if (again->ids.empty() == again->filter.empty())
      throw CLI::ValidationError("replay", "name events by their ids, or by --route, --status, --since, ...");
    run = [again] { return replay(*again); };
  });

  auto gone = std::make_shared<Options>();
  command = events.add_subcommand("purge", "Remove events for good, whether they were delivered or not");
  add_server_options(*command, gone->server);
  add_filter_options(*command, gone->filter);
  add_until_option(*command, gone->filter);
  command->add_flag("--all", gone->all, "Remove every event");
  command->add_flag("--yes", gone->yes, "Do not ask");
  command->footer(
      "Events that are being delivered just now stay.\n\n"
      "Example:\n  rockdove events purge --status done,dead --until 30d");
  command->callback([&run, gone] {
    if (gone->all != gone->filter.empty())
      throw CLI::ValidationError("purge", "say which: by --status, --until, ..., or --all alone");
    run = [gone] { return purge(*gone); };
  });
}

}  // namespace rockdove::cli
