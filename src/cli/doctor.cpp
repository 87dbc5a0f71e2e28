// rockdove doctor: what is wrong here, and what to do about it?
#include "cli/commands.hpp"
#include "config/config_path.hpp"
#include "doctor/agent_doctor.hpp"
#include "doctor/server_doctor.hpp"
#include "net/log.hpp"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

namespace rockdove::cli {
namespace {

constexpr int idle_max = 3600;

struct Options {
  std::string role;
  std::string config, data;
  std::string language;
  bool json = false;
  int idle = 0;
};

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

/// The role that has a configuration here. Throws CLI::ValidationError, which is wrong usage, if that does
/// not tell.
std::string find_role(const Options& options) {
  if (!options.role.empty()) return options.role;
  if (const auto named = config::find_config(options.config, ""); !named.empty()) {
    if (named.filename() == "server.toml" || named.filename() == "agent.toml") return named.stem().string();
    throw CLI::ValidationError("role",
                               "say what " + named.string() + " is for: rockdove doctor server, or agent");
  }
  const bool server = !config::find_config("", "server").empty(),
             agent = !config::find_config("", "agent").empty();
  if (server != agent) return server ? "server" : "agent";
  throw CLI::ValidationError("role", server ? "there are configurations of both here: say server or agent"
                                            : "there is no configuration here: say server or agent");
}

int examine(const Options& options) {
  const std::string role = find_role(options);
  const bool is_server = role == "server";
  if (is_server && options.idle != 0)
    throw CLI::ValidationError("--idle",
                               "it is the agent's way to the server that is measured: run it there");
  if (!is_server && !options.data.empty())
    throw CLI::ValidationError("--data", "only a server has a data directory");
  log::set_verbosity({log::Level::off, {}});  // what there is to say is in the findings
  doctor::Report::Options shape;
  shape.role = role;
  shape.language = options.language.empty() ? doctor::language_of(environment)
                                            : doctor::language_named(options.language).value();
  shape.json = options.json;
  shape.is_terminal = ::isatty(STDERR_FILENO) != 0;
  doctor::Report report(std::move(shape), std::cout, std::cerr);
  const auto config = config::find_config(options.config, role);
  if (is_server) doctor::examine_server(report, {config, options.data});
  else doctor::examine_agent(report, {config, std::chrono::seconds(options.idle)});
  return report.finish();
}

}  // namespace

void add_doctor(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("doctor", "Look for what is wrong here, and say what to do about it");
  command
      ->add_option("ROLE", options->role, "server or agent; default: the one that has a configuration here")
      ->type_name("")
      ->check(CLI::IsMember({"server", "agent"}));
  command->add_option("--config", options->config, "Configuration file, as the server or agent has it")
      ->type_name("FILE");
  command
      ->add_option("--data", options->data, "Data directory of the server, in place of the configuration's")
      ->type_name("DIR");
  command
      ->add_option(
          "--idle", options->idle,
          "At the agent: also try silences of up to so many seconds, to find after how long the way to the "
          "server forgets a connection; takes up to three times as long")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, idle_max));
  command
      ->add_option("--lang", options->language, "Language of the findings, en or zh; default: the locale's")
      ->type_name("LANGUAGE")
      ->check(CLI::IsMember({"en", "zh"}));
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Safe beside a running server or agent. Run it as the same user, with the same environment.\n"
      "Exit code: 0 nothing failed, 1 something failed, 2 wrong usage.\n\n"
      "Example:\n  rockdove doctor agent");
  command->callback([&run, options] { run = [options] { return examine(*options); }; });
}

}  // namespace rockdove::cli
