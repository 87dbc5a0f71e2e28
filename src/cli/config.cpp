// rockdove config check: would a server or agent start with this file?
#include "base/files.hpp"
#include "cli/commands.hpp"
#include "config/agent_config.hpp"
#include "config/config_path.hpp"
#include "config/server_config.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace rockdove::cli {
namespace {

struct Options {
  std::string config;
  std::string role;
  bool json = false;
};

struct Outcome {
  std::string file;
  std::string role;
  std::string error;  // empty: the file is right
  std::string note;
};

/// The role a file is for, by what only one of them has.
std::string guess_role(const std::filesystem::path& file) {
  try {
    auto document = config::Section::parse(read_file(file), file.string());
    const auto server =
        document.contains("server") ? document.section("server") : config::Section::parse("", "");
    const bool agent = document.contains("agent") || document.contains("upstream") ||
                       server.contains("secret") || server.contains("secret_file") || server.contains("pin");
    return agent ? "agent" : "server";
  } catch (const config::ConfigError&) {
    return file.filename() == "agent.toml" ? "agent" : "server";  // the check will say what is wrong
  }
}

/// Whether the secrets can be read here and now: the server may run as another user, in another environment.
std::string note_on_secrets(const config::ServerConfig& loaded) {
  try {
    for (const config::RouteConfig& route : loaded.routes) {
      if (!route.provider) continue;
      load_secrets(route.name, *route.provider);
      load_deliver_keys(route.name, *route.provider);
    }
    load_egress_secrets(loaded.egress);
    load_alert_secrets(loaded.alerts);
  } catch (const config::ConfigError& error) { return error.what(); }
  return {};
}

Outcome check(const std::filesystem::path& file, const std::string& role) {
  Outcome outcome{file.string(), role, {}, {}};
  try {
    if (role == "server") {
      outcome.note = note_on_secrets(config::load_server_config(file));
    } else {
      const auto loaded = config::load_agent_config(file);
      try {
        config::check_joined(loaded);
      } catch (const config::ConfigError& error) { outcome.note = error.what(); }
    }
  } catch (const std::exception& error) { outcome.error = error.what(); }
  return outcome;
}

std::vector<Outcome> check_all(const Options& options) {
  std::vector<Outcome> outcomes;
  const auto named = config::find_config(options.config, "");
  // Named by --config or the environment: one file, whatever it is for.
  if (!named.empty()) return {check(named, options.role.empty() ? guess_role(named) : options.role)};
  for (const std::string role : {"server", "agent"}) {
    if (!options.role.empty() && options.role != role) continue;
    if (const auto file = config::find_config("", role); !file.empty()) outcomes.push_back(check(file, role));
  }
  return outcomes;
}

int check_config(const Options& options) {
  const auto outcomes = check_all(options);
  if (outcomes.empty()) std::cerr << "There is no configuration file: a server runs with the defaults.\n";
  int code = 0;
  boost::json::array list;
  for (const Outcome& outcome : outcomes) {
    list.push_back({{"file", outcome.file},
                    {"role", outcome.role},
                    {"ok", outcome.error.empty()},
                    {"error", outcome.error}});
    if (!outcome.error.empty()) code = 1;
    if (!outcome.error.empty()) std::cerr << outcome.error << "\n";
    else if (!options.json) std::cout << outcome.file << ": ok (" << outcome.role << ")\n";
    if (!outcome.note.empty()) std::cerr << "Note: " << outcome.note << "\n";
  }
  if (options.json) std::cout << boost::json::serialize(list) << "\n";
  return code;
}

}  // namespace

void add_config(CLI::App& app, Run& run) {
  CLI::App* config = app.add_subcommand("config", "Work with configuration files");
  config->require_subcommand(0, 1);
  config->footer("Example:\n  rockdove config check");
  auto options = std::make_shared<Options>();
  CLI::App* command =
      config->add_subcommand("check", "Say whether a configuration is right, and if not, where");
  command
      ->add_option("--config", options->config,
                   "File to check; default: those that server and agent would read")
      ->type_name("FILE");
  command
      ->add_option("--role", options->role, "What the file is for, server or agent; default: by its content")
      ->type_name("ROLE")
      ->check(CLI::IsMember({"server", "agent"}));
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example:\n  rockdove config check --config server.toml");
  command->callback([&run, options] { run = [options] { return check_config(*options); }; });
}

}  // namespace rockdove::cli
