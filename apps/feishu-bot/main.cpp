// rockdove-feishu-bot: a Feishu bot that answers from Lingxing ERP. The example to start an own bot from.
#include "feishu-bot/service.hpp"
#include "net/log.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>

#include <exception>
#include <iostream>
#include <string>

namespace rockdove::feishu_bot {
namespace {

using Signals = net::asio::signal_set;

Awaitable<void> stop_at(Signals& signals, Service& service) {
  auto [error, number] = co_await signals.async_wait(net::token);
  if (error) co_return;
  log::info("bot", "stopping: what has been acknowledged is still answered");
  service.stop();
}

Awaitable<void> serve(Signals& signals, Service& service) {
  co_await service.run();
  signals.cancel();
}

/// What is missing, in one line; "" if nothing is.
std::string advice(const Config& config) {
  std::string list;
  for (const std::string& each : missing_settings(config)) list += (list.empty() ? "" : " and ") + each;
  if (list.empty()) return {};
  return list + " not set: challenges are answered, messages are not; see feishu-bot.toml";
}

int check(const Config& config) {
  const std::string note = advice(config);
  std::cout << "ok" << (note.empty() ? "" : "; " + note) << "\n";
  return 0;
}

int run(const Config& config) {
  net::IoContext io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  Signals signals(io, SIGTERM, SIGINT);  // before anybody can know that we run
  Service service(io.get_executor(), config);
  log::info("bot", "rockdove-feishu-bot {} listens: http://{}/feishu/webhook", ROCKDOVE_VERSION,
            net::to_string(service.endpoint()));
  log::info("bot", "Feishu by {}, Lingxing by {}", config.feishu_url, config.lingxing_url);
  if (const std::string note = advice(config); !note.empty()) log::warn("bot", "{}", note);
  if (config.encrypt_key.empty() && config.verification_token.empty())
    log::warn("bot", "neither encrypt_key nor verification_token is set: anybody's events are believed");
  net::TaskGroup group(io.get_executor(), net::abort_on_error);
  group.spawn(stop_at(signals, service));
  group.spawn(serve(signals, service));
  io.run();
  log::info("bot", "stopped");
  return 0;
}

}  // namespace
}  // namespace rockdove::feishu_bot

int main(int argc, char** argv) {
  namespace bot = rockdove::feishu_bot;
  CLI::App app{"rockdove-feishu-bot answers messages in Feishu from Lingxing ERP."};
  app.name("rockdove-feishu-bot");
  app.set_version_flag("--version", "rockdove-feishu-bot " ROCKDOVE_VERSION);
  std::string file;
  bool only_check = false;
  app.add_option("--config", file, "Configuration file; default: feishu-bot.toml, if there is one")
      ->type_name("FILE");
  app.add_flag("--check", only_check, "Say whether the configuration is right, and what is missing");
  app.footer(
      "Secrets may come from the environment: FEISHU_APP_ID, FEISHU_APP_SECRET, FEISHU_ENCRYPT_KEY,\n"
      "FEISHU_VERIFICATION_TOKEN. SIGTERM lets running work end.\n\n"
      "Example:\n"
      "  rockdove-feishu-bot --config feishu-bot.toml &\n"
      "  rockdove agent --upstream http://127.0.0.1:5000\n\n"
      "Exit code: 0 ok, 1 failed, 2 wrong usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;  // --help and --version end here too
  }
  try {
    const bot::Config config = bot::load_config(file);
    return only_check ? bot::check(config) : bot::run(config);
  } catch (const std::exception& error) {
    std::cerr << "rockdove-feishu-bot: " << error.what() << "\n";
    return 1;
  }
}
