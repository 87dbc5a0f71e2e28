#include "doctor/running_server.hpp"

#include "doctor/figures.hpp"
#include "ops/json_path.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace rockdove::doctor {
namespace {

namespace json = boost::json;

/// A member that is a string, or "".
std::string text_of(const json::value& object, std::string_view key) {
  const auto* members = object.if_object();
  const auto* found = members ? members->if_contains(key) : nullptr;
  return found && found->is_string() ? std::string(found->get_string()) : "";
}

/// A member that is a list, or an empty one.
const json::array& list_of(const json::value& object, std::string_view key) {
  static const json::array none;
  const auto* members = object.if_object();
  const auto* found = members ? members->if_contains(key) : nullptr;
  return found && found->is_array() ? found->get_array() : none;
}

std::chrono::seconds uptime_of(const json::value& health) {
  const auto* members = health.if_object();
  const auto* found = members ? members->if_contains("uptime_s") : nullptr;
  return std::chrono::seconds(found && found->is_int64() ? found->get_int64() : 0);
}

std::string reasons_of(const json::value& health) {
  std::string all;
  for (const json::value& each : list_of(health, "reasons"))
    if (each.is_string()) all += (all.empty() ? "" : "; ") + std::string(each.get_string());
  return all;
}

void judge_agent(Report& report, const std::string& tunnel, const json::value& agent) {
  const std::string name = text_of(agent, "name"), version = text_of(agent, "version");
  if (version != ROCKDOVE_VERSION) report.add("agents.version", {tunnel, name, version, ROCKDOVE_VERSION});
  for (const json::value& upstream : list_of(agent, "upstreams")) {
    const auto* up = upstream.is_object() ? upstream.get_object().if_contains("up") : nullptr;
    if (up && up->is_bool() && !up->get_bool())
      report.add("agents.upstream_down",
                 {tunnel, name, text_of(upstream, "name"), text_of(upstream, "detail")});
  }
}

}  // namespace

void judge_health(Report& report, std::string_view health, const std::string& admin) {
  boost::system::error_code error;
  const json::value value = json::parse(health, error);
  const std::string status = error ? "" : text_of(value, "status"), version = text_of(value, "version");
  if (status == "ok") report.add("server.ok", {version, rounded_time(uptime_of(value))});
  else if (status == "degraded") report.add("server.degraded", {reasons_of(value)});
  else if (status == "failing") report.add("server.failing", {reasons_of(value)});
  else return report.add("server.unclear", {admin, error ? error.message() : "status \"" + status + "\""});
  if (version != ROCKDOVE_VERSION) report.add("server.version", {version, ROCKDOVE_VERSION});
}

void judge_agents(Report& report, std::string_view stats, const std::vector<std::string>& tunnels,
                  const std::string& admin) {
  boost::system::error_code error;
  const json::value value = json::parse(stats, error);
  if (error) return report.add("server.unclear", {admin, error.message()});
  const json::array& known = list_of(value, "tunnels");
  for (const std::string& tunnel : tunnels) {
    const auto found =
        std::ranges::find_if(known, [&](const json::value& each) { return text_of(each, "name") == tunnel; });
    std::string names;
    if (found != known.end())
      for (const json::value& agent : list_of(*found, "agents"))
        names +=
            (names.empty() ? "" : ", ") + text_of(agent, "name") + " (" + text_of(agent, "version") + ")";
    if (names.empty()) {
      report.add("agents.none", {tunnel});
      continue;
    }
    report.add("agents.connected", {tunnel, names});
    for (const json::value& agent : list_of(*found, "agents")) judge_agent(report, tunnel, agent);
  }
}

}  // namespace rockdove::doctor
