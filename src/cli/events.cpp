// rockdove events: what the inbox of a running server holds, and what becomes of it.
#include "cli/events.hpp"

#include "base/percent.hpp"
#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "config/config_path.hpp"
#include "config/server_config.hpp"
#include "inbox/event.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <iostream>

namespace rockdove::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t page_max = 1000;

std::string address_error(std::string& text) {
  return parse_host_port(text) ? "" : "write host:port";
}

std::string not_empty(std::string& text) {
  return text.empty() ? "it is empty: leave the option out, or say which" : "";
}

std::string states_error(std::string& text) {
  std::string_view rest = text;
  while (true) {
    const auto comma = rest.find(',');
    if (!inbox::state_named(rest.substr(0, comma)))
      return "write one or more of waiting, queued, done, dead, quarantined, with commas between";
    if (comma == rest.npos) return "";
    rest.remove_prefix(comma + 1);
  }
}

std::string time_error(std::string& text) {
  if (parse_duration(text) || parse_rfc3339(text) || inbox::parse_event_id(text)) return "";
  return "write how long ago (90s, 15m, 1h, 7d), a time such as 2026-11-23T04:00:00Z, or an event's id";
}

std::string moment(const std::string& text, std::chrono::system_clock::time_point now) {
  const auto ago = parse_duration(text);
  if (!ago) return text;
  return format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(now) - *ago);
}

}  // namespace

bool EventsFilter::empty() const {
  return tunnel.empty() && route.empty() && status.empty() && since.empty() && until.empty() && text.empty();
}

void add_server_options(CLI::App& command, EventsServer& server) {
  command.add_option("--config", server.config, "The server's configuration file")->type_name("FILE");
  command.add_option("--data", server.data, "Its data directory, in place of the configuration's")
      ->type_name("DIR");
  command.add_option("--admin", server.admin, "Its admin address, in place of the configuration's")
      ->type_name("HOST:PORT")
      ->check(CLI::Validator(address_error, ""));
  command.add_flag("--json", server.json, "Print JSON");
}

AdminClient connect(const EventsServer& server) {
  const auto config = config::load_server_config(config::find_config(server.config, "server"));
  const HostPort admin = server.admin.empty() ? config.admin : parse_host_port(server.admin).value();
  return {admin, find_admin_token(server.data.empty() ? config.data : std::filesystem::path(server.data))};
}

void add_filter_options(CLI::App& command, EventsFilter& filter) {
  const CLI::Validator some(not_empty, "");
  command.add_option("--tunnel", filter.tunnel, "Only events of this tunnel")->type_name("NAME")->check(some);
  command.add_option("--route", filter.route, "Only events of this route")->type_name("NAME")->check(some);
  command.add_option("--status", filter.status, "Only these: waiting, queued, done, dead, quarantined")
      ->type_name("STATUS[,STATUS]")
      ->check(CLI::Validator(states_error, ""));
  command
      .add_option("--since", filter.since,
                  "Only events received in this time (90s, 15m, 1h, 7d), since this one (RFC 3339), or from "
                  "this event on")
      ->type_name("TIME|ID")
      ->check(CLI::Validator(time_error, ""));
  command.add_option("--text", filter.text, "Only events with this in their target, fields or body")
      ->type_name("TEXT")
      ->check(some);
}

void add_until_option(CLI::App& command, EventsFilter& filter) {
  command.add_option("--until", filter.until, "Only events received before this; written as --since")
      ->type_name("TIME|ID")
      ->check(CLI::Validator(time_error, ""));
}

Pairs pairs_of(const EventsFilter& filter, std::chrono::system_clock::time_point now) {
  Pairs pairs;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) pairs.emplace_back(key, value);
  };
  add("tunnel", filter.tunnel);
  add("route", filter.route);
  add("status", filter.status);
  add("since", moment(filter.since, now));
  add("until", moment(filter.until, now));
  add("text", filter.text);
  return pairs;
}

std::string to_query(const Pairs& pairs) {
  std::string query;
  for (const auto& [key, value] : pairs)
    query += (query.empty() ? "?" : "&") + percent_encode(key) + "=" + percent_encode(value);
  return query;
}

json::object parse_answer(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) throw AdminError(0, "the server does not answer as rockdove does");
  return std::move(value.get_object());
}

EventsPage read_page(const AdminClient& client, const Pairs& pairs) {
  const json::object answer = parse_answer(client.get("/api/v1/events" + to_query(pairs)));
  const json::value* events = answer.if_contains("events");
  if (!events || !events->is_array()) throw AdminError(0, "the server does not answer as rockdove does");
  const json::value* next = answer.if_contains("next");
  EventsPage page;
  page.events = events->get_array();
  if (next && next->is_string()) page.next = next->get_string();
  return page;
}

EventsPage read_events(const AdminClient& client, Pairs pairs, std::size_t limit) {
  EventsPage all;
  do {
    Pairs wanted = pairs;
    wanted.emplace_back("limit", std::to_string(std::min(limit - all.events.size(), page_max)));
    if (!all.next.empty()) wanted.emplace_back("cursor", all.next);
    EventsPage page = read_page(client, wanted);
    for (json::value& event : page.events) all.events.push_back(std::move(event));
    all.next = std::move(page.next);
  } while (!all.next.empty() && all.events.size() < limit);
  return all;
}

void print_json(const json::value& value) {
  std::cout << printable(json::serialize(value), Lines::keep) << "\n" << std::flush;
}

void add_events(CLI::App& app, Run& run) {
  CLI::App* events =
      app.add_subcommand("events", "Look at the inbox: list, show, replay, tail and purge events");
  events->require_subcommand(0, 1);
  events->footer(
      "These ask the running server, with the token in its data directory or $ROCKDOVE_ADMIN_TOKEN.\n\n"
      "Example:\n  rockdove events list --status dead --since 1d");
  add_events_list(*events, run);
  add_events_show(*events, run);
  add_events_change(*events, run);
  add_events_tail(*events, run);
  add_events_pause(*events, run);
}

}  // namespace rockdove::cli
