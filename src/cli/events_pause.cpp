// rockdove events pause | resume
#include "base/percent.hpp"
#include "base/text.hpp"
#include "cli/events.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace rockdove::cli {
namespace {

struct Options {
  EventsServer server;
  std::string route, reason;
};

boost::json::object ask(const Options& options, const char* verb, const boost::json::object& question) {
  const AdminClient client = connect(options.server);
  const std::string target = "/api/v1/routes/" + percent_encode(options.route) + "/" + verb;
  return parse_answer(client.post(target, boost::json::serialize(question)));
}

int pause(const Options& options) {
  boost::json::object question;
  if (!options.reason.empty()) question["reason"] = to_utf8(options.reason);
  const auto answer = ask(options, "pause", question);
  if (options.server.json) print_json(answer);
  else
    std::cout << "Deliveries of route " << printable(options.route, Lines::escape)
              << " are paused; what comes is kept. rockdove events resume lets it go on.\n";
  return 0;
}

int resume(const Options& options) {
  const auto answer = ask(options, "resume", {});
  if (options.server.json) print_json(answer);
  else std::cout << "Deliveries of route " << printable(options.route, Lines::escape) << " go on.\n";
  return 0;
}

std::shared_ptr<Options> set_up(CLI::App* command, Run& run, int (*action)(const Options&),
                                const char* example) {
  auto options = std::make_shared<Options>();
  add_server_options(*command, options->server);
  command->add_option("ROUTE", options->route, "The route's name in the configuration")
      ->required()
      ->type_name("")
      ->check(CLI::Validator(
          [](std::string& text) { return std::string(text.empty() ? "a route has a name" : ""); }, ""));
  command->footer("Example:\n  " + std::string(example));
  command->callback([&run, options, action] { run = [options, action] { return action(*options); }; });
  return options;
}

}  // namespace

void add_events_pause(CLI::App& events, Run& run) {
  CLI::App* command = events.add_subcommand("pause", "Stop the deliveries of a route; its events are kept");
  auto options =
      set_up(command, run, pause, "rockdove events pause feishu --reason \"the upstream is being moved\"");
  command->add_option("--reason", options->reason, "Why, for those who see that it is paused")
      ->type_name("TEXT");
  set_up(events.add_subcommand("resume", "Let the deliveries of a paused route go on"), run, resume,
         "rockdove events resume feishu");
}

}  // namespace rockdove::cli
