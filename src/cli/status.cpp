// rockdove status, rockdove stats: how a running server is doing.
#include "cli/admin_client.hpp"
#include "cli/commands.hpp"
#include "config/config_path.hpp"
#include "config/server_config.hpp"
#include "ops/status_table.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace rockdove::cli {
namespace {

using Format = std::string (*)(const boost::json::value&);

struct Options {
  std::string config;
  std::string admin;
  bool json = false;
};

int show(const Options& options, Format format) {
  const auto admin = options.admin.empty()
                         ? config::load_server_config(config::find_config(options.config, "server")).admin
                         : parse_host_port(options.admin).value();
  const std::string body = admin_get(admin, "/stats");
  if (options.json) {
    std::cout << body << (body.ends_with('\n') ? "" : "\n");
    return 0;
  }
  boost::system::error_code error;
  const auto stats = boost::json::parse(body, error);
  if (error) throw std::runtime_error(to_string(admin) + " does not answer as a rockdove server does");
  std::cout << format(stats);
  return 0;
}

void add(CLI::App* command, Run& run, Format format, const char* example) {
  auto options = std::make_shared<Options>();
  command->add_option("--config", options->config, "The server's configuration file, for its admin address")
      ->type_name("FILE");
  command
      ->add_option("--admin", options->admin, "The server's admin address, in place of the configuration's")
      ->type_name("HOST:PORT")
      ->check(CLI::Validator(
          [](std::string& text) { return std::string(parse_host_port(text) ? "" : "write host:port"); }, ""));
  command->add_flag("--json", options->json, "Print what the server says, as JSON");
  command->footer("Example:\n  " + std::string(example));
  command->callback([&run, options, format] { run = [options, format] { return show(*options, format); }; });
}

}  // namespace

void add_status(CLI::App& app, Run& run) {
  add(app.add_subcommand("status", "Show tunnels, agents, links and upstreams of the server here"), run,
      ops::status_table, "rockdove status --admin 127.0.0.1:8082");
  add(app.add_subcommand("stats", "Show requests, answers, latency and errors of each route"), run,
      ops::stats_table, "rockdove stats --json");
}

}  // namespace rockdove::cli
