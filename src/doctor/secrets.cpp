// The secrets of routes and destinations: are they where the configuration says, and for whom to read?
#include "doctor/data_directory.hpp"
#include "doctor/machine.hpp"

#include <cstdlib>
#include <set>

namespace rockdove::doctor {
namespace {

using config::SecretSource;

std::vector<SecretSource> sources_of(const config::RouteProvider& provider) {
  std::vector<SecretSource> sources = provider.deliver_secrets;
  for (const auto& [name, source] : provider.secrets) sources.push_back(source);
  return sources;
}

/// What this process has need not be what the service has: a variable that is missing here is no failure.
bool is_missing_here(const SecretSource& source) {
  return source.from == SecretSource::From::environment && !source.optional &&
         !std::getenv(source.place.c_str());  // NOLINT(concurrency-mt-unsafe): nothing sets the environment
}

/// `load` throws if a secret cannot be read or used; it never quotes one.
template <class Load>
void check(Report& report, const std::string& owner, const std::vector<SecretSource>& sources, Load load) {
  std::set<std::string> files, missing;
  for (const SecretSource& source : sources) {
    if (source.from == SecretSource::From::file) files.insert(source.place);
    else if (is_missing_here(source)) missing.insert(source.place);
  }
  for (const std::string& variable : missing) report.add("secrets.elsewhere", {variable});
  bool is_readable = true;
  for (const std::string& file : files) is_readable = check_private(report, file) && is_readable;
  if (!missing.empty() || !is_readable) return;
  try {
    load();
    report.add("secrets.ok", {owner});
  } catch (const std::exception& error) { report.add("secrets.unreadable", {error.what()}); }
}

}  // namespace

void check_secrets(Report& report, const config::ServerConfig& config) {
  for (const config::RouteConfig& route : config.routes) {
    if (!route.provider) continue;
    check(report, route.name, sources_of(*route.provider), [&] {
      load_secrets(route.name, *route.provider);
      load_deliver_keys(route.name, *route.provider);
    });
  }
  std::vector<SecretSource> lingxing;
  for (const auto& [name, source] : config.egress.lingxing) lingxing.push_back(source);
  if (!lingxing.empty()) check(report, "egress", lingxing, [&] { load_egress_secrets(config.egress); });
}

}  // namespace rockdove::doctor
