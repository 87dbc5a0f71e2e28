#include "doctor/agent_doctor.hpp"

#include "base/files.hpp"
#include "doctor/local_services.hpp"
#include "doctor/machine.hpp"
#include "doctor/path.hpp"
#include "net/task_group.hpp"

#include <memory>
#include <set>

namespace rockdove::doctor {
namespace {

constexpr std::uint64_t other_descriptors = 64;  // links, lookups, the log
constexpr std::uint64_t egress_descriptors = 512;

/// The configuration, if it can be used.
std::optional<config::AgentConfig> load(Report& report, const std::filesystem::path& file) {
  try {
    auto loaded = config::load_agent_config(file);
    if (file.empty()) report.add("config.defaults");
    else report.add("config.ok", {file.string()});
    return loaded;
  } catch (const std::exception& error) {
    report.add("config.wrong", {error.what()});
    return std::nullopt;
  }
}

bool has_joined(Report& report, const config::AgentConfig& config) {
  try {
    config::check_joined(config);
    return true;
  } catch (const std::exception& error) {
    report.add("config.not_joined", {error.what()});
    return false;
  }
}

/// The files that hold the secret: the configuration itself, or what its secret_file names. Must be readable.
std::set<std::filesystem::path> secret_files(const std::filesystem::path& file) {
  std::set<std::filesystem::path> files;
  auto document = config::Section::parse(read_file(file), file.string());
  if (document.contains("server")) {
    auto server = document.section("server");
    std::string named;
    server.read("secret_file", named);
    if (!named.empty()) files.insert(named);
    if (server.contains("secret")) files.insert(file);
  }
  if (document.contains("agent")) {
    std::string proxy;
    document.section("agent").read("proxy", proxy);
    if (proxy.find('@') != proxy.npos) files.insert(file);
  }
  return files;
}

std::uint64_t wanted_descriptors(const config::AgentConfig& config) {
  std::uint64_t wanted = other_descriptors + config.links + (config.egress.listen ? egress_descriptors : 0);
  for (const config::UpstreamConfig& upstream : config.upstreams) wanted += upstream.connections;
  return wanted;
}

/// Null if what the server's certificate is to be checked with cannot be used.
std::unique_ptr<Path> make_path(Report& report, const config::AgentConfig& config, const HostPort& server) {
  try {
    return std::make_unique<Path>(report, config, server);
  } catch (const std::exception& error) {
    report.add("tls.authorities", {error.what()});
    return nullptr;
  }
}

Awaitable<void> check_paths(Report& report, const config::AgentConfig& config, std::chrono::seconds idle) {
  bool is_measured = idle.count() == 0;
  for (const HostPort& server : config.server.address) {
    const auto path = make_path(report, config, server);
    if (!path) break;
    const bool is_good = co_await path->check();
    if (!is_good || is_measured) continue;
    is_measured = true;
    co_await path->check_idle(idle);
  }
  if (!is_measured) report.add("idle.skipped");
}

Awaitable<void> check_network(Report& report, const config::AgentConfig& config, bool joined,
                              std::chrono::seconds idle) {
  if (joined) co_await check_paths(report, config, idle);
  for (const config::UpstreamConfig& upstream : config.upstreams) co_await check_upstream(report, upstream);
  co_await check_egress_port(report, config.egress);
}

}  // namespace

void examine_agent(Report& report, const AgentOptions& options) {
  const auto config = load(report, options.config);
  if (!config) return;
  if (!options.config.empty())
    for (const auto& file : secret_files(options.config)) check_private(report, file);
  const bool joined = has_joined(report, *config);
  check_clock(report);
  check_descriptors(report, wanted_descriptors(*config));
  net::IoContext io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  net::TaskGroup group(io.get_executor(), net::abort_on_error);
  group.spawn(check_network(report, *config, joined, options.idle));
  io.run();
}

}  // namespace rockdove::doctor
