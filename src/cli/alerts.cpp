// rockdove alerts list | test: what is wrong with a running server, and whether people would hear of it.
#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/events.hpp"
#include "ops/json_path.hpp"
#include "ops/table.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace rockdove::cli {
namespace {

namespace json = boost::json;

std::string text(const json::value& from, std::string_view key) {
  const json::value* value = ops::find(from, {key});
  return value && value->is_string() ? printable(value->get_string(), Lines::escape) : "-";
}

const json::array& list_of(const json::value& from, std::string_view key) {
  static const json::array none;
  const json::value* value = ops::find(from, {key});
  return value && value->is_array() ? value->get_array() : none;
}

void show_firing(const json::array& firing) {
  if (firing.empty()) {
    std::cout << "Nothing is wrong.\n";
    return;
  }
  ops::Table table({"KIND", "SINCE", "WHAT"});
  for (const json::value& each : firing) {
    const auto since = parse_rfc3339(text(each, "since"));
    table.add({text(each, "kind"), since ? format_local_time(*since) : "-", text(each, "text")});
  }
  std::cout << table.str();
}

int list(const EventsServer& server) {
  const json::value answer = parse_answer(connect(server).get("/api/v1/alerts"));
  if (server.json) {
    print_json(answer);
    return 0;
  }
  show_firing(list_of(answer, "firing"));
  const json::array& receivers = list_of(answer, "receivers");
  if (receivers.empty()) std::cout << "Nobody is told: the configuration has no [[alerts.to]].\n";
  for (const json::value& each : receivers)
    if (const std::string trouble = text(each, "trouble"); !trouble.empty() && trouble != "-")
      std::cout << text(each, "name") << " does not get its messages: " << trouble << "\n";
  return 0;
}

int test(const EventsServer& server) {
  const json::value answer = parse_answer(connect(server).post("/api/v1/alerts/test", "{}"));
  bool are_all_well = true;
  ops::Table table({"TO", "RESULT", "ANSWER"});
  for (const json::value& each : list_of(answer, "results")) {
    const json::value* ok = ops::find(each, {"ok"});
    const bool is_well = ok && ok->is_bool() && ok->get_bool();
    are_all_well = are_all_well && is_well;
    table.add({text(each, "name"), is_well ? "ok" : "failed", text(each, "answer")});
  }
  if (server.json) print_json(answer);
  else std::cout << table.str();
  return are_all_well ? 0 : 1;
}

void add(CLI::App* command, Run& run, int (*action)(const EventsServer&), const char* example) {
  auto server = std::make_shared<EventsServer>();
  add_server_options(*command, *server);
  command->footer("Example:\n  " + std::string(example));
  command->callback([&run, server, action] { run = [server, action] { return action(*server); }; });
}

}  // namespace

void add_alerts(CLI::App& app, Run& run) {
  CLI::App* alerts = app.add_subcommand("alerts", "What the server tells people when something is wrong");
  alerts->require_subcommand(0, 1);
  alerts->footer("Example:\n  rockdove alerts test");
  add(alerts->add_subcommand("list", "List what is wrong now"), run, list, "rockdove alerts list");
  add(alerts->add_subcommand("test", "Send a test message to every [[alerts.to]]; say what they answer"), run,
      test, "rockdove alerts test");
}

}  // namespace rockdove::cli
