// rockdove service: makes the program a service of systemd, with the unit that the package has.
#include "base/files.hpp"
#include "cli/child.hpp"
#include "cli/commands.hpp"
#include "cli/service_files.hpp"
#include "config/agent_config.hpp"
#include "config/config_path.hpp"
#include "config/server_config.hpp"

#include <pwd.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace rockdove::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* packaged_program = "/usr/bin/rockdove";
const fs::path system_units = "/etc/systemd/system";  // of the administrator; goes before the package's
const fs::path server_config = "/etc/rockdove/server.toml";
const fs::path agent_config = "/etc/rockdove/agent.toml";

struct Options {
  std::string role;
  bool is_user = false;
};

std::string unit_name(const Options& options) {
  return "rockdove-" + options.role + ".service";
}

/// Where systemd looks for a user's units (systemd.unit(5)).
fs::path user_units() {
  const char* base = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (base && *base) return fs::path(base) / "systemd" / "user";
  if (!home || !*home) throw std::runtime_error("HOME is not set: there is nowhere to put a user's unit");
  return fs::path(home) / ".config" / "systemd" / "user";
}

fs::path unit_file(const Options& options) {
  return (options.is_user ? user_units() : system_units) / unit_name(options);
}

std::vector<std::string> systemctl(const Options& options, std::initializer_list<std::string> words) {
  std::vector<std::string> command{"systemctl"};
  if (options.is_user) command.emplace_back("--user");
  command.insert(command.end(), words);
  return command;
}

/// Throws if this user, or this role, cannot have what is asked for.
void check(const Options& options) {
  if (options.is_user && options.role == "server")
    throw std::runtime_error("--user is for agents: a server is a service of the machine");
  if (!options.is_user && ::geteuid() != 0)
    throw std::runtime_error(
        "a service of the machine needs root: use sudo" +
        std::string(options.role == "agent" ? ", or --user for an agent of your own" : ""));
}

bool is_below(const fs::path& path, const char* directory) {
  return path.string().starts_with(std::string(directory) + "/");
}

/// This program's file, as a unit can start it.
std::string own_program(const Options& options) {
  const fs::path path = fs::read_symlink("/proc/self/exe");
  constexpr const char* plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+-";
  if (path.string().find_first_not_of(plain) != std::string::npos)
    throw std::runtime_error(path.string() +
                             ": a unit cannot start that; move the program to /usr/local/bin");
  for (const char* hidden : {"/home", "/root", "/tmp", "/var/tmp", "/run/user"})
    if (!options.is_user && is_below(path, hidden))
      throw std::runtime_error(path.string() + ": the service does not see " + hidden +
                               "; move the program to /usr/local/bin");
  return path.string();
}

std::string unit_text(const Options& options, const std::string& program) {
  const std::string_view role = options.is_user ? user_agent_unit() : agent_unit();
  std::string text(options.role == "server" ? server_unit() : role);
  const std::string start = "ExecStart=" + std::string(packaged_program);
  return text.replace(text.find(start), start.size(), "ExecStart=" + program);
}

/// The package has a unit of its own for its program.
bool is_packaged(const Options& options, const std::string& program) {
  if (program != packaged_program) return false;
  const fs::path folder = options.is_user ? "/usr/lib/systemd/user" : "/lib/systemd/system";
  return fs::exists(folder / unit_name(options));
}

/// Units and configurations without secrets are for everybody to read.
void write_public(const fs::path& path, std::string_view content) {
  for (const fs::path& directory : {path.parent_path().parent_path(), path.parent_path()})
    if (fs::create_directories(directory)) fs::permissions(directory, fs::perms(0755));
  write_private_file(path, content);
  fs::permissions(path, fs::perms(0644));
  std::cerr << "wrote " << path.string() << "\n";
}

void prepare_server() {
  if (!::getpwnam("rockdove"))
    must_run({"systemd-sysusers", "--inline", "u rockdove - \"rockdove\" /var/lib/rockdove"});
  if (!fs::exists(server_config)) write_public(server_config, service_config());
  config::load_server_config(server_config);
}

void prepare_agent(const Options& options) {
  const fs::path file = options.is_user ? config::find_config("", "agent") : agent_config;
  const std::string join =
      options.is_user ? "rockdove join -" : "rockdove join --config " + file.string() + " -";
  if (file.empty() || !fs::exists(file))
    throw std::runtime_error("not joined to a server yet; first: " + join);
  config::check_joined(config::load_agent_config(file));
  if (!options.is_user && !::getpwnam("rockdove"))
    must_run({"systemd-sysusers", "--inline", "u rockdove - \"rockdove\" /var/lib/rockdove"});
}

int install(const Options& options) {
  check(options);
  const std::string program = own_program(options);
  if (options.role == "server") prepare_server();
  else prepare_agent(options);
  if (!is_packaged(options, program)) write_public(unit_file(options), unit_text(options, program));
  must_run(systemctl(options, {"daemon-reload"}));
  must_run(systemctl(options, {"enable", unit_name(options)}));
  must_run(systemctl(options, {"restart", unit_name(options)}));
  std::cerr << "The " << options.role << " runs, and starts with "
            << (options.is_user ? "your session" : "the machine") << ". Its log: journalctl "
            << (options.is_user ? "--user " : "") << "-u rockdove-" << options.role << "\n";
  return 0;
}

int remove(const Options& options) {
  check(options);
  must_run(systemctl(options, {"disable", "--now", unit_name(options)}));
  const fs::path file = unit_file(options);
  if (fs::remove(file)) std::cerr << "removed " << file.string() << "\n";
  must_run(systemctl(options, {"daemon-reload"}));
  std::cerr << "The " << options.role << " has stopped. Its configuration and data stay where they are.\n";
  return 0;
}

int status(const Options& options) {
  if (options.is_user && options.role == "server") check(options);
  return run_child(systemctl(options, {"--no-pager", "status", unit_name(options)})) == 0 ? 0 : 1;
}

void add_command(CLI::App* group, Run& run, const char* name, const char* description, const char* footer,
                 int (*action)(const Options&)) {
  auto options = std::make_shared<Options>();
  CLI::App* command = group->add_subcommand(name, description);
  command->add_option("ROLE", options->role, "server or agent")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"server", "agent"}));
  command->add_flag("--user", options->is_user, "A service of this user, not of the machine; agents only");
  command->footer(footer);
  command->callback([&run, options, action] { run = [options, action] { return action(*options); }; });
}

}  // namespace

void add_service(CLI::App& app, Run& run) {
  CLI::App* group = app.add_subcommand("service", "Run server or agent as a service of systemd");
  group->require_subcommand(0, 1);
  group->footer("Example:\n  sudo rockdove service install server");
  add_command(
      group, run, "install", "Write the unit, and start the service now and with the machine",
      "A server gets /etc/rockdove/server.toml, if there is none, and keeps its data in /var/lib/rockdove.\n"
      "An agent has to be joined first: rockdove join --config /etc/rockdove/agent.toml -\n\n"
      "Example:\n"
      "  sudo rockdove service install server\n"
      "  rockdove join - && rockdove service install agent --user",
      install);
  add_command(group, run, "remove", "Stop the service and take its unit away; configuration and data stay",
              "Example:\n  sudo rockdove service remove server", remove);
  add_command(group, run, "status", "Show what systemd knows of the service",
              "Exit code: 0 if it runs, else 1.\n\nExample:\n  rockdove service status server", status);
}

}  // namespace rockdove::cli
