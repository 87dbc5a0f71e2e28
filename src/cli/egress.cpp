// rockdove egress ip | check: the address that destinations see, and what the rules say of a call.
#include "cli/commands.hpp"
#include "cli/events.hpp"
#include "config/config_path.hpp"
#include "config/server_config.hpp"
#include "egress/address_rules.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace rockdove::cli {
namespace {

int show_ip(const EventsServer& server) {
  const auto answer = parse_answer(connect(server).get("/api/v1/egress/address"));
  if (server.json) print_json(answer);
  else std::cout << std::string(answer.at("address").as_string()) << "\n";
  return 0;
}

struct CheckOptions {
  std::string config, tunnel, wanted;
};

/// What was typed: a destination's name, or host[:port].
egress::Wanted wanted_of(const CheckOptions& options, const egress::Gate::Options& gate) {
  for (const egress::DestinationOptions& each : gate.destinations)
    if (each.name == options.wanted)
      return {{egress::canonical_host(each.url.host), each.url.port}, each.name, each.lingxing.has_value()};
  const HostPort address = parse_host_port(options.wanted, 443).value();
  return {{egress::canonical_host(address.host), address.port}, "", false};
}

std::vector<net::Address> addresses_of(const HostPort& target) {
  net::asio::io_context io;
  net::asio::ip::tcp::resolver resolver(io);
  boost::system::error_code error;
  std::vector<net::Address> addresses;
  for (const auto& each : resolver.resolve(target.host, std::to_string(target.port), error))
    addresses.push_back(each.endpoint().address());
  return addresses;
}

/// The networks that are open to the call besides the public internet.
std::vector<net::Network> networks_of(const egress::Wanted& wanted, const egress::Gate::Options& gate,
                                      std::size_t rule) {
  for (const egress::DestinationOptions& each : gate.destinations)
    if (each.name == wanted.destination) return each.networks;
  return gate.rules[rule].networks;
}

int check(const CheckOptions& options) {
  const auto config = config::load_server_config(config::find_config(options.config, "server"));
  const egress::Gate::Options& gate = config.egress.gate;
  const egress::Wanted wanted = wanted_of(options, gate);
  const std::string what = to_string(wanted.address);
  const auto rule = egress::Policy(gate.rules).judge(options.tunnel, wanted);
  if (!rule) {
    std::cout << "refused: no rule allows tunnel " << options.tunnel << " to call " << what << "\n";
    return 1;
  }
  std::cout << "rule: the " << *rule + 1 << ". [[egress.allow]]\n";
  const auto networks = networks_of(wanted, gate, *rule);
  bool is_allowed = false;
  for (const net::Address& each : addresses_of(wanted.address)) {
    const bool is_permitted = egress::is_permitted(each, networks);
    const auto special = egress::special_range(each);
    std::cout << (is_permitted ? "  " : "  refused: ") << net::to_string(each)
              << (special.empty() ? "" : " (" + std::string(special) + ")") << "\n";
    is_allowed = is_allowed || is_permitted;
  }
  std::cout << (is_allowed ? "allowed: " : "refused: no address that may be called: ") << what << "\n";
  return is_allowed ? 0 : 1;
}

}  // namespace

void add_egress(CLI::App& app, Run& run) {
  CLI::App* egress = app.add_subcommand("egress", "Calls from behind NAT that leave by the server's address");
  egress->require_subcommand(0, 1);
  egress->footer("Example:\n  rockdove egress check openapi.lingxing.com --tunnel feishu-bot");

  auto server = std::make_shared<EventsServer>();
  CLI::App* ip =
      egress->add_subcommand("ip", "Show the address that destinations see, as check_url tells it");
  add_server_options(*ip, *server);
  ip->footer("Example:\n  rockdove egress ip");
  ip->callback([&run, server] { run = [server] { return show_ip(*server); }; });

  auto options = std::make_shared<CheckOptions>();
  CLI::App* test = egress->add_subcommand("check", "Say whether a tunnel may make a call, without making it");
  test->add_option("--config", options->config, "The server's configuration file")->type_name("FILE");
  test->add_option("--tunnel", options->tunnel, "Whose call it is")->type_name("NAME")->required();
  test->add_option("DESTINATION", options->wanted, "Host[:port], or the name of an [[egress.destination]]")
      ->required()
      ->type_name("")
      ->check(CLI::Validator(
          [](std::string& text) {
            const auto address = parse_host_port(text, 443);
            return std::string(address && address->port != 0 ? "" : "write host or host:port");
          },
          ""));
  test->footer("Example:\n  rockdove egress check openapi.lingxing.com --tunnel feishu-bot");
  test->callback([&run, options] { run = [options] { return check(*options); }; });
}

}  // namespace rockdove::cli
