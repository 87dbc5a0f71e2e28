#include "config/route_provider.hpp"

#include "base/units.hpp"
#include "config/webhook_key.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace rockdove::config {
namespace {

constexpr std::size_t targets_max = 16, types_max = 64;

/// "wechat-pay", "public_key" make ROCKDOVE_WECHAT_PAY_PUBLIC_KEY.
std::string variable_of(std::string_view provider, std::string_view secret) {
  std::string name = "ROCKDOVE_" + std::string(provider) + "_" + std::string(secret);
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    else if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) c = '_';
  }
  return name;
}

const providers::Scheme& find_scheme(Section& route, const providers::Catalog& catalog,
                                     const std::string& name) {
  if (const auto* scheme = catalog.find(name)) return *scheme;
  std::string known;
  for (const auto& scheme : catalog.all()) known += (known.empty() ? "" : ", ") + scheme.name;
  route.fail("provider", "provider = " + quote(name) + ": there is none of this name; there are " + known +
                             ", and what [[provider]] adds");
}

void read_secrets(Section& route, RouteProvider& provider) {
  const auto names = secret_names(provider.scheme);
  const bool has_table = route.contains("secrets");
  Section secrets = route.section("secrets");
  for (const std::string& name : names)
    for (SecretSource& source : read_secret_sources(secrets, name, providers::secrets_max))
      provider.secrets.emplace_back(name, std::move(source));
  secrets.finish();
  if (has_table && provider.secrets.empty())
    route.fail("secrets", "secrets is empty, so that nothing would be checked; remove it if that is meant");
  if (has_table) return;
  for (const std::string& name : names)
    provider.secrets.emplace_back(
        name, SecretSource{SecretSource::From::environment, variable_of(provider.scheme.name, name), true});
}

void read_deliver(Section& route, RouteProvider& provider) {
  constexpr std::array<std::string_view, 2> forms = {"as-received", "verified-plaintext"};
  if (const auto form = route.read_choice("deliver", forms)) provider.plaintext = *form == 1;
  provider.deliver_secrets = read_secret_sources(route, "deliver_secret", providers::secrets_max);
  if (provider.plaintext == provider.deliver_secrets.empty())
    route.fail(provider.plaintext ? "deliver" : "deliver_secret",
               "deliver = \"verified-plaintext\" and deliver_secret, with which it is signed, go together");
}

bool is_type(std::string_view text) {
  const auto star = text.find('*');
  return !text.empty() && (star == text.npos || star == text.size() - 1);
}

TargetConfig read_target(Section& section, bool has_provider) {
  TargetConfig target;
  section.read_name("tunnel", target.tunnel);
  section.read_name("upstream", target.upstream);
  target.name = target.tunnel.empty() ? target.upstream : target.tunnel;
  section.read_name("name", target.name);
  section.read("types", target.types);
  if (target.types.size() > types_max)
    section.fail("types", "types: at most " + std::to_string(types_max) + " entries");
  for (const std::string& type : target.types)
    if (!is_type(type))
      section.fail("types", "types = " + quote(type) +
                                ": write a type, such as \"push\", or its beginning, such as \"im.*\"");
  if (!target.types.empty() && !has_provider)
    section.fail("types", "types needs the route's provider, which says where an event's type stands");
  section.finish();
  if (target.name.empty()) section.fail("name", "needs tunnel, upstream or a name");
  return target;
}

[[noreturn]] void fail(const std::string& route, const std::string& message) {
  throw ConfigError("route " + quote(route) + ": " + message);
}

}  // namespace

std::string target_route(const std::string& route, const TargetConfig& target) {
  return route + "/" + target.name;
}

std::optional<RouteProvider> read_route_provider(Section& route, const providers::Catalog& catalog) {
  std::string name;
  route.read_name("provider", name);
  RouteProvider provider;
  if (name.empty()) {
    for (const char* key : {"secrets", "deliver", "deliver_secret"})
      if (route.contains(key))
        route.fail(key, std::string(key) + " needs provider: whose webhooks these are");
    return std::nullopt;
  }
  provider.scheme = find_scheme(route, catalog, name);
  read_secrets(route, provider);
  read_deliver(route, provider);
  provider.makes_ack = !fixed_ack(provider.scheme) && !route.contains("ack");
  return provider;
}

void limit_ages(Section& route, RouteProvider& provider, const inbox::RouteOptions& options) {
  for (providers::Check& check : provider.scheme.checks)
    if (!check.tolerance && signs(check, providers::Part::Kind::timestamp))
      check.tolerance = options.dedupe_window / 2;
  const auto needed = needed_memory(provider, options);
  if (options.dedupe_window < needed)
    route.fail("dedupe_window", "dedupe_window must be at least " + quote(format_duration(needed)) +
                                    ": what " + provider.scheme.name + " signs is good for " +
                                    quote(format_duration(needed / 2)) +
                                    " before and after its time, and would be a new event once forgotten");
}

std::chrono::milliseconds needed_memory(const RouteProvider& provider, const inbox::RouteOptions& options) {
  std::chrono::milliseconds longest{0};
  if (options.mode == inbox::Mode::live || options.dedupe.empty()) return longest;
  for (const providers::Check& check : provider.scheme.checks)
    if (check.tolerance) longest = std::max(longest, *check.tolerance);
  return longest * 2;
}

std::vector<TargetConfig> read_targets(Section& route, bool has_provider) {
  std::vector<TargetConfig> targets;
  std::set<std::string> names;
  for (Section& section : route.sections("target")) {
    targets.push_back(read_target(section, has_provider));
    if (!names.insert(targets.back().name).second)
      section.fail("name", "there is a target " + quote(targets.back().name) +
                               " already; give this one a name of its own");
  }
  if (targets.size() > targets_max)
    route.fail("target", "at most " + std::to_string(targets_max) + " tables [[route.target]]");
  return targets;
}

std::optional<inbox::CannedAnswer> fixed_ack(const providers::Scheme& scheme) {
  const providers::Reply& ack = scheme.ack;
  inbox::CannedAnswer answer{ack.status, ack.type, ""};
  if (ack.sealed) return std::nullopt;
  for (const providers::Part& part : ack.body) {
    if (part.kind != providers::Part::Kind::literal || part.quoted) return std::nullopt;
    answer.body += part.text;
  }
  return answer;
}

providers::Secrets load_secrets(const std::string& route, const RouteProvider& provider) {
  providers::Secrets secrets;
  for (const auto& [name, source] : provider.secrets) {
    try {
      if (auto value = load_secret(source)) secrets.add(name, std::move(*value));
    } catch (const ConfigError& error) { fail(route, "secret " + name + ": " + error.what()); }
  }
  if (const auto problem = problem_with(provider.scheme, secrets)) fail(route, *problem);
  if (provider.plaintext && secrets.empty())
    fail(route, "deliver = \"verified-plaintext\" needs a secret that verifies: set secrets");
  return secrets;
}

std::vector<std::string> load_deliver_keys(const std::string& route, const RouteProvider& provider) {
  std::vector<std::string> keys;
  for (const SecretSource& source : provider.deliver_secrets) {
    try {
      keys.push_back(load_webhook_key(source));
    } catch (const ConfigError& error) { fail(route, std::string("deliver_secret: ") + error.what()); }
  }
  return keys;
}

}  // namespace rockdove::config
