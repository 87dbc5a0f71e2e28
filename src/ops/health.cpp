#include "ops/health.hpp"

#include "base/text.hpp"
#include "ops/json_path.hpp"
#include "ops/table.hpp"

#include <boost/json/array.hpp>

#include <map>

namespace rockdove::ops {
namespace {

namespace json = boost::json;

constexpr std::uint64_t usual_low_bytes = std::uint64_t{1} << 30, low_share = 20;  // a twentieth
constexpr std::chrono::milliseconds slow_commit{1000};

const json::array& list(const json::value& from, std::string_view key) {
  static const json::array none;
  const json::value* value = find(from, {key});
  return value && value->is_array() ? value->get_array() : none;
}

std::string name_of(const json::value& from) {
  const json::value* name = find(from, {"name"});
  return name && name->is_string() ? printable(name->get_string(), Lines::escape) : "-";
}

void look_at_tunnel(Health& health, const std::string& name, const json::array& agents) {
  if (agents.empty()) {
    health.reasons.push_back({"tunnel " + name + ": no agent is connected", "tunnel: no agent is connected"});
    health.conditions.push_back({AlertKind::agent_gone, name});
    return;
  }
  std::map<std::string, bool> is_up;  // by upstream: at one agent at least
  for (const json::value& agent : agents)
    for (const json::value& upstream : list(agent, "upstreams")) {
      const json::value* up = find(upstream, {"up"});
      is_up[name_of(upstream)] |= up && up->is_bool() && up->get_bool();
    }
  for (const auto& [upstream, up] : is_up)
    if (!up)
      health.reasons.push_back({"tunnel " + name + ": upstream " + upstream + " is down at every agent",
                                "tunnel: an upstream is down"});
}

void look_at_tunnels(Health& health, const HealthFacts& facts) {
  static const json::array none;
  for (const std::string& name : facts.tunnels) {
    const json::array* agents = &none;
    if (facts.connected->is_array())
      for (const json::value& tunnel : facts.connected->get_array())
        if (name_of(tunnel) == name) agents = &list(tunnel, "agents");
    look_at_tunnel(health, name, *agents);
  }
}

bool is_low(const Disk& disk, std::uint64_t low_bytes) {
  if (low_bytes > 0) return disk.available < low_bytes;
  return disk.available < usual_low_bytes && disk.available < disk.size / low_share;
}

void look_at_disk(Health& health, const HealthFacts& facts) {
  if (facts.disk && is_low(*facts.disk, facts.low_bytes)) {
    health.reasons.push_back({"disk: only " + size_text(static_cast<double>(facts.disk->available)) +
                                  " are left where the data directory is",
                              "disk: little space is left"});
    health.conditions.push_back({AlertKind::disk_free, "", static_cast<std::int64_t>(facts.disk->available)});
  }
  if (facts.commit >= slow_commit)
    health.reasons.push_back({"inbox: the last commit took " + std::to_string(facts.commit.count()) + " ms",
                              "inbox: the disk is slow"});
}

void look_at_certificates(Health& health, const HealthFacts& facts) {
  for (const CertificateEnd& each : facts.certificates) {
    const auto left = std::chrono::floor<std::chrono::days>(each.end - facts.now).count();
    if (each.end > facts.now && each.end - facts.now >= facts.near_end) continue;
    health.conditions.push_back({AlertKind::certificate, each.port, left});
    if (each.end <= facts.now)
      health.reasons.push_back(
          {"certificate of the " + each.port + " port: it has expired", "certificate: one has expired"});
    else
      health.reasons.push_back({"certificate of the " + each.port + " port: it expires in " +
                                    std::to_string(left) + (left == 1 ? " day" : " days"),
                                "certificate: one is near its end"});
  }
}

void look_at_events(Health& health, const HealthFacts& facts) {
  for (const auto& [route, age] : facts.backlogs)
    if (age > facts.backlog_max) health.conditions.push_back({AlertKind::backlog_age, route, age.count()});
  for (const auto& [route, count] : facts.dead_letters)
    if (count > 0)
      health.conditions.push_back({AlertKind::dead_letters, route, static_cast<std::int64_t>(count)});
}

}  // namespace

Health judge(const HealthFacts& facts) {
  Health health;
  health.is_failing = !facts.can_store;
  if (health.is_failing) {
    health.reasons.push_back({"inbox: " + facts.store_reason, "inbox: events cannot be stored"});
    health.conditions.push_back({AlertKind::store, "", 0, facts.store_reason});
  }
  look_at_tunnels(health, facts);
  look_at_disk(health, facts);
  look_at_certificates(health, facts);
  look_at_events(health, facts);
  return health;
}

}  // namespace rockdove::ops
