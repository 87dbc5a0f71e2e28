// rockdove join: from the line that `token create` printed to a configured agent.
#include "tunnel/join.hpp"

#include "cli/commands.hpp"
#include "config/config_path.hpp"
#include "config/join_writer.hpp"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace rockdove::cli {
namespace {

struct Options {
  std::string config;
  std::string source;
};

/// One line from a person, everything from a pipe; no more than can be a join string.
std::string read_input() {
  std::string text;
  if (::isatty(STDIN_FILENO)) {
    std::cerr << "Paste the line that \"rockdove token create\" printed, then press Enter:\n";
    std::getline(std::cin, text);
    return text;
  }
  constexpr std::size_t most = 4 * tunnel::join_string_max;  // room for line breaks and quotes
  for (char c; text.size() < most && std::cin.get(c);) text += c;
  return text;
}

config::ServerLink server_of(const tunnel::JoinInfo& info) {
  config::ServerLink server;
  for (const std::string& text : info.addresses)
    server.address.push_back(parse_host_port(text, config::default_tunnel_port).value());
  server.tunnel = info.tunnel;
  server.secret = info.secret;
  server.pin = info.pin;
  switch (info.tls) {
    case tunnel::JoinInfo::Tls::pin: server.tls = config::ServerTls::pin; break;
    case tunnel::JoinInfo::Tls::ca: server.tls = config::ServerTls::ca; break;
    case tunnel::JoinInfo::Tls::off: server.tls = config::ServerTls::off; break;
  }
  return server;
}

int join(const Options& options) {
  const auto decoded = tunnel::decode_join(read_input());
  if (const auto* error = std::get_if<tunnel::JoinError>(&decoded)) throw std::runtime_error(error->message);
  const auto server = server_of(std::get<tunnel::JoinInfo>(decoded));
  const auto path = config::config_to_write(options.config, "agent");
  config::write_server(path, server);
  std::cerr << "Joined tunnel " << server.tunnel << " at " << to_string(server.address.front())
            << "; written to " << path.string()
            << ".\nNext: rockdove agent --upstream http://127.0.0.1:5000\n";
  return 0;
}

/// A join string must not get into shell histories and process lists; nor is it repeated here.
std::string source_error(std::string& text) {
  return text == "-" ? "" : "a join string is a secret: give it on standard input, not as an argument";
}

}  // namespace

void add_join(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("join", "Store the server, tunnel and secret that a join string carries");
  command
      ->add_option("--config", options->config, "File to write; default: agent.toml in the user's directory")
      ->type_name("FILE");
  command->add_option("SOURCE", options->source, "\"-\": read the join string from standard input")
      ->required()
      ->type_name("")
      ->check(CLI::Validator(source_error, ""));
  command->footer(
      "Only the [server] table of the file is changed; its mode becomes 0600.\n\n"
      "Example:\n  rockdove join -");
  command->callback([&run, options] { run = [options] { return join(*options); }; });
}

}  // namespace rockdove::cli
