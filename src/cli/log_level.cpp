// rockdove log-level: how much the running server logs.
#include "cli/commands.hpp"
#include "cli/events.hpp"
#include "net/log.hpp"
#include "net/log_layers.hpp"
#include "net/log_line.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

namespace rockdove::cli {
namespace {

namespace json = boost::json;

constexpr const char* target = "/api/v1/log";

struct Options {
  EventsServer server;
  std::string level, layer;
};

void print(const json::object& answer) {
  std::cout << std::string(answer.at("level").as_string()) << "\n";
  for (const auto& [layer, level] : answer.at("levels").as_object())
    std::cout << std::string(layer) << " " << std::string(level.as_string()) << "\n";
}

int set_or_show(const Options& options) {
  const AdminClient client = connect(options.server);
  json::object answer = parse_answer(client.get(target));
  if (!options.level.empty()) {
    json::object levels = answer.at("levels").as_object();
    if (options.layer.empty()) answer["level"] = options.level;
    else if (options.level == "default") levels.erase(options.layer);
    else levels[options.layer] = options.level;
    answer["levels"] = std::move(levels);
    answer = parse_answer(client.put(target, json::serialize(answer)));
  }
  if (options.server.json) print_json(answer);
  else print(answer);
  return 0;
}

std::string layers() {
  std::string all;
  for (const auto layer : log::layers) all += (all.empty() ? "" : ", ") + std::string(layer);
  return all;
}

std::string layer_error(std::string& name) {
  const bool is_known = std::ranges::find(log::layers, name) != log::layers.end();
  return is_known ? "" : "the layers are " + layers();
}

std::string level_error(std::string& name) {
  if (name == "default" || log::level_named(name)) return "";
  return "write trace, debug, info, warn, error or off; with --layer also default";
}

}  // namespace

void add_log_level(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "log-level", "Show or change how much the running server logs, until its next reload");
  add_server_options(*command, options->server);
  command->add_option("LEVEL", options->level, "trace, debug, info, warn, error, off; none: show what it is")
      ->type_name("")
      ->check(CLI::Validator(level_error, ""));
  command->add_option("--layer", options->layer, "Only of this layer: " + layers())
      ->type_name("NAME")
      ->check(CLI::Validator(layer_error, ""));
  command->footer(
      "A layer's level \"default\" is that of all others. An agent takes [log] of its configuration at "
      "SIGHUP.\n\n"
      "Example:\n  rockdove log-level debug --layer link");
  command->callback([&run, options] {
    if (!options->layer.empty() && options->level.empty())
      throw CLI::ValidationError("--layer", "goes with a LEVEL");
    if (options->layer.empty() && options->level == "default")
      throw CLI::ValidationError("LEVEL", "default goes with --layer");
    run = [options] { return set_or_show(*options); };
  });
}

}  // namespace rockdove::cli
