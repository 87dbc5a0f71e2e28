#include "doctor/server_doctor.hpp"

#include "doctor/ask.hpp"
#include "doctor/data_directory.hpp"
#include "doctor/disk.hpp"
#include "doctor/machine.hpp"
#include "doctor/ports.hpp"
#include "doctor/running_server.hpp"
#include "net/task_group.hpp"

namespace rockdove::doctor {
namespace {

constexpr std::uint64_t other_descriptors = 256;  // links, the store, the log, connections of agents' calls

std::optional<config::ServerConfig> load(Report& report, const ServerOptions& options) {
  try {
    auto loaded = config::load_server_config(options.config);
    if (options.config.empty()) report.add("config.defaults");
    else report.add("config.ok", {options.config.string()});
    if (!options.data.empty()) loaded.data = options.data;
    return loaded;
  } catch (const std::exception& error) {
    report.add("config.wrong", {error.what()});
    return std::nullopt;
  }
}

Awaitable<void> check_server(Report& report, const config::ServerConfig& config,
                             const std::vector<std::string>& tunnels) {
  const auto health = co_await check_ports(report, config);
  const std::string admin = to_string(config.admin);
  if (!health) {
    report.add("server.down");
    co_return;
  }
  judge_health(report, *health, admin);
  Question question{config.admin, false, "/stats", {}};
  const auto stats = co_await ask(std::move(question));
  if (stats) judge_agents(report, stats->body, tunnels, admin);
  else report.add("server.unclear", {admin, stats.error().message()});
}

}  // namespace

void examine_server(Report& report, const ServerOptions& options) {
  const auto config = load(report, options);
  if (!config) return;
  std::vector<std::string> tunnels;
  if (check_data(report, config->data)) {
    tunnels = check_tokens(report, config->data).value_or(tunnels);
    check_inbox(report, config->data);
    check_room(report, config->data, config->inbox.retention.bytes_max);
    check_fsync(report, config->data);
  }
  check_certificates(report, *config);
  check_secrets(report, *config);
  check_clock(report);
  check_descriptors(report, config->limits.connections + config->limits.handshakes + other_descriptors);
  check_memory(report, config->inbox.memory + config->limits.link_memory);
  net::IoContext io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  net::TaskGroup group(io.get_executor(), net::abort_on_error);
  group.spawn(check_server(report, *config, tunnels));
  io.run();
  hint_at_reach(report, *config);
}

}  // namespace rockdove::doctor
