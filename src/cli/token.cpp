// rockdove token create | list | revoke: who may serve which tunnel.
#include "server/tokens.hpp"

#include "cli/commands.hpp"
#include "cli/server_address.hpp"
#include "config/config_path.hpp"
#include "config/server_config.hpp"
#include "net/tls.hpp"
#include "tunnel/handshake.hpp"
#include "tunnel/join.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace rockdove::cli {
namespace {

namespace json = boost::json;
using Tls = tunnel::JoinInfo::Tls;

struct Options {
  std::string config;
  std::string data;
  bool json = false;
  std::string tunnel;  // or, to revoke, the beginning of an id
  std::string label;
  std::vector<std::string> address;
  std::string tls;
  bool all = false;
};

config::ServerConfig load(const Options& options) {
  auto config = config::load_server_config(config::find_config(options.config, "server"));
  if (!options.data.empty()) config.data = options.data;
  return config;
}

Tls tls_of(const config::ServerConfig& config, const std::string& option) {
  if (option == "pin") return Tls::pin;
  if (option == "ca") return Tls::ca;
  if (option == "off") return Tls::off;
  if (config.tunnel_tls.mode == config::TunnelTls::certificate) return Tls::ca;
  return config.tunnel_tls.mode == config::TunnelTls::off ? Tls::off : Tls::pin;
}

std::string pin_of(const config::ServerConfig& config) {
  if (!config.tunnel_tls.certificate.empty()) return net::certificate_pin(config.tunnel_tls.certificate);
  make_private_directory(config.data);
  net::ensure_own_certificate(config.data);
  return net::certificate_pin(config.data / "tls-certificate.pem");
}

std::vector<std::string> addresses_of(const config::ServerConfig& config, const Options& options) {
  const auto& given = options.address.empty() ? config.address : options.address;
  std::vector<std::string> addresses;
  const auto check_port = [](const HostPort& address) {
    if (address.port == 0)
      throw std::runtime_error(
          "the port for agents is not known (tunnel has port 0): name it with --address HOST:PORT");
    return to_string(address);
  };
  for (const std::string& text : given)
    addresses.push_back(check_port(parse_host_port(text, config.tunnel.port).value()));
  if (!addresses.empty()) return addresses;
  if (config.tunnel.port == 0) check_port(config.tunnel);
  // A server that does not listen everywhere is reached where it listens.
  const bool is_everywhere =
      config.tunnel.host.empty() || config.tunnel.host == "0.0.0.0" || config.tunnel.host == "::";
  if (!is_everywhere) return {to_string(config.tunnel)};
  const GuessedAddress guess = guess_server_address();
  std::cerr << "Note: the address " << guess.host << " is a guess"
            << (guess.is_private ? ", and only reachable from the same network" : "")
            << ". If agents reach this server by another one, make the token with --address HOST.\n";
  return {to_string({guess.host, config.tunnel.port})};
}

int create(const Options& options) {
  const auto config = load(options);
  tunnel::JoinInfo info;
  info.tunnel = options.tunnel;
  info.tls = tls_of(config, options.tls);
  info.addresses = addresses_of(config, options);
  if (info.tls == Tls::pin) info.pin = pin_of(config);
  // The token last: no step that can fail leaves one behind that nobody has.
  info.secret = server::TokenStore(config.data).create(options.tunnel, options.label);
  const std::string id = info.secret.substr(3, 8);
  const std::string line = tunnel::encode_join(info);
  if (options.json) {
    const json::value out = {
        {"join", line}, {"id", id}, {"tunnel", info.tunnel}, {"addresses", json::value_from(info.addresses)}};
    std::cout << json::serialize(out) << "\n" << std::flush;
  } else {
    std::cout << line << "\n" << std::flush;
  }
  std::cerr
      << "Token " << id << " for tunnel " << info.tunnel << ", kept in "
      << std::filesystem::absolute(config.data).lexically_normal().string()
      << ". The line above is shown this once.\nOn the office PC: rockdove join -  (paste it), then rockdove "
         "agent --upstream http://127.0.0.1:5000\n";
  return 0;
}

json::array to_json(const std::vector<server::Token>& tokens) {
  json::array list;
  for (const auto& token : tokens)
    list.push_back(
        {{"id", token.id}, {"tunnel", token.tunnel}, {"label", token.label}, {"created", token.created}});
  return list;
}

int list(const Options& options) {
  const auto tokens = server::TokenStore(load(options).data).list();
  if (options.json) {
    std::cout << json::serialize(to_json(tokens)) << "\n";
    return 0;
  }
  std::size_t width = 6;
  for (const auto& token : tokens) width = std::max(width, token.tunnel.size());
  const auto pad = [&](const std::string& text) { return text + std::string(width - text.size() + 2, ' '); };
  std::cout << "ID        " << pad("TUNNEL") << "CREATED               LABEL\n";
  for (const auto& token : tokens)
    std::cout << token.id << "  " << pad(token.tunnel) << token.created << "  " << token.label << "\n";
  return 0;
}

int revoke(const Options& options) {
  server::TokenStore store(load(options).data);
  const auto gone =
      options.all ? store.revoke_tunnel(options.tunnel) : std::vector{store.revoke(options.tunnel)};
  if (options.json) std::cout << json::serialize(to_json(gone)) << "\n";
  else
    for (const auto& token : gone)
      std::cout << "revoked " << token.id << " of tunnel " << token.tunnel << "\n";
  return 0;
}

using Command = int (*)(const Options&);

std::shared_ptr<Options> set_up(CLI::App* command, Run& run, Command action, const char* example) {
  auto options = std::make_shared<Options>();
  command->add_option("--config", options->config, "The server's configuration file")->type_name("FILE");
  command->add_option("--data", options->data, "Data directory, in place of the configuration's")
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example:\n  " + std::string(example));
  command->callback([&run, options, action] { run = [options, action] { return action(*options); }; });
  return options;
}

std::string tunnel_error(std::string& name) {
  return tunnel::valid_tunnel_name(name)
             ? ""
             : "a name is 1 to 63 lower-case letters, digits, '.', '_' or '-', the first a letter or digit";
}

std::string address_error(std::string& text) {
  const auto address = parse_host_port(text, 1);
  return address && address->port != 0 ? "" : "write host or host:port, such as hooks.example.com";
}

std::string label_error(std::string& text) {
  const bool plain =
      std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return plain && text.size() <= 200 ? "" : "at most 200 bytes, without control characters";
}

}  // namespace

void add_token(CLI::App& app, Run& run) {
  CLI::App* token = app.add_subcommand("token", "Make, list and revoke the tokens by which agents join");
  token->require_subcommand(0, 1);
  token->footer(
      "Works beside a running server, which sees the change at once.\n\n"
      "Example:\n  rockdove token create feishu-bot");

  CLI::App* make = token->add_subcommand("create", "Make a token and print the join string for one agent");
  auto options = set_up(make, run, create, "rockdove token create feishu-bot --address hooks.example.com");
  make->add_option("TUNNEL", options->tunnel, "The tunnel that the agent may serve")
      ->required()
      ->type_name("")
      ->check(CLI::Validator(tunnel_error, ""));
  make->add_option("--address", options->address, "How agents reach this server; may be given several times")
      ->type_name("HOST[:PORT]")
      ->allow_extra_args(false)  // one each, or it would take TUNNEL for another
      ->check(CLI::Validator(address_error, ""));
  make->add_option("--label", options->label, "What tells you which token it is, shown by token list")
      ->type_name("TEXT")
      ->check(CLI::Validator(label_error, ""));
  make->add_option("--tls", options->tls,
                   "How agents check this server: pin, ca or off; default: as [tunnel_tls] says")
      ->type_name("MODE")
      ->check(CLI::IsMember({"pin", "ca", "off"}));

  set_up(token->add_subcommand("list", "List the tokens; their secrets are not kept"), run, list,
         "rockdove token list --json");

  CLI::App* end = token->add_subcommand("revoke", "Revoke one token, or all of a tunnel");
  auto revoked =
      set_up(end, run, revoke, "rockdove token revoke 1f9a03c2\n  rockdove token revoke feishu-bot --all");
  end->add_option("TOKEN", revoked->tunnel, "The token's id or its beginning; with --all, a tunnel")
      ->required()
      ->type_name("");
  end->add_flag("--all", revoked->all, "Revoke all tokens of the tunnel");
}

}  // namespace rockdove::cli
