// rockdove server, rockdove agent: read the configuration, run the role until a signal ends it.
#include "agent/agent.hpp"
#include "cli/commands.hpp"
#include "config/config_path.hpp"
#include "server/server.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <string>

namespace rockdove::cli {
namespace {

struct ServerOptions {
  std::string config;
  std::string data;
};

config::ServerConfig load(const ServerOptions& options) {
  auto config = config::load_server_config(config::find_config(options.config, "server"));
  if (!options.data.empty()) config.data = options.data;
  return config;
}

struct AgentOptions {
  std::string config;
  std::string upstream;
};

config::AgentConfig load(const AgentOptions& options) {
  auto config = config::load_agent_config(config::find_config(options.config, "agent"));
  config::check_joined(config);
  if (options.upstream.empty()) return config;
  auto found = std::ranges::find(config.upstreams, "default", &config::UpstreamConfig::name);
  if (found == config.upstreams.end()) found = config.upstreams.emplace(found);
  config::set_url(*found, options.upstream);
  return config;
}

std::string upstream_error(std::string& url) {
  try {
    config::UpstreamConfig upstream;
    config::set_url(upstream, url);
    return "";
  } catch (const config::ConfigError& error) { return error.what(); }
}

}  // namespace

void add_roles(CLI::App& app, Run& run) {
  auto server_options = std::make_shared<ServerOptions>();
  CLI::App* server = app.add_subcommand("server", "Run the public side: callers and agents connect to it");
  server->add_option("--config", server_options->config, "Configuration file; without any, the defaults")
      ->type_name("FILE");
  server->add_option("--data", server_options->data, "Data directory, in place of the configuration's")
      ->type_name("DIR");
  server->footer(
      "SIGHUP reads the configuration again; SIGTERM lets running requests end.\n\n"
      "Example:\n  rockdove server --config /etc/rockdove/server.toml");
  server->callback([&run, server_options] {
    run = [server_options] {
      return server::run(load(*server_options), [server_options] { return load(*server_options); });
    };
  });

  auto agent_options = std::make_shared<AgentOptions>();
  CLI::App* agent = app.add_subcommand("agent", "Run the side behind NAT, which calls the local service");
  agent->add_option("--config", agent_options->config, "Configuration file")->type_name("FILE");
  agent
      ->add_option("--upstream", agent_options->upstream,
                   "URL of the upstream \"default\", in place of the configuration's")
      ->type_name("URL")
      ->check(CLI::Validator(upstream_error, ""));
  agent->footer(
      "SIGHUP reads the configuration again; SIGTERM lets running requests end.\n\n"
      "Example:\n  rockdove agent --upstream http://127.0.0.1:5000");
  agent->callback([&run, agent_options] {
    run = [agent_options] {
      return agent::run(load(*agent_options), [agent_options] { return load(*agent_options); });
    };
  });
}

}  // namespace rockdove::cli
