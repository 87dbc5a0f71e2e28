#include "ops/status_table.hpp"

#include "base/text.hpp"
#include "ops/json_path.hpp"
#include "ops/table.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rockdove::ops {
namespace {

namespace json = boost::json;

const json::array& list(const json::value& from, std::string_view key) {
  static const json::array none;
  const json::value* value = find(from, {key});
  return value && value->is_array() ? value->get_array() : none;
}

/// Names come from agents: control bytes must not reach the terminal.
std::string shown(std::string_view text) {
  return text.empty() ? "-" : printable(text, Lines::escape);
}

std::string text(const json::value& from, std::initializer_list<std::string_view> path) {
  const json::value* value = find(from, path);
  if (!value || value->is_null()) return "-";
  if (value->is_string()) return shown(value->get_string());
  return value->is_structured() ? "-" : json::serialize(*value);
}

std::string decimal(double number, const char* format) {
  std::array<char, 64> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), format, number);
  return {buffer.data(), std::min(static_cast<std::size_t>(std::max(size, 0)), buffer.size() - 1)};
}

/// The number at `path` times `factor`; "-" if there is none.
std::string number(const json::value& from, std::initializer_list<std::string_view> path, const char* format,
                   double factor = 1) {
  const json::value* value = find(from, path);
  if (!value || !value->is_number()) return "-";
  return decimal(value->to_number<double>() * factor, format);
}

std::string size(const json::value& from, std::string_view key) {
  const json::value* value = find(from, {key});
  return value && value->is_number() ? size_text(value->to_number<double>()) : "-";
}

std::string age(const json::value& from, std::string_view key) {
  const json::value* value = find(from, {key});
  return value && value->is_number() ? age_text(value->to_number<double>()) : "-";
}

std::string agent_state(const json::value& agent) {
  const json::value* draining = find(agent, {"draining"});
  return draining && draining->is_bool() && draining->get_bool() ? "draining" : "connected";
}

void add_agent(Table& links, Table& upstreams, const json::value& tunnel, const json::value& agent) {
  for (const json::value& link : list(agent, "links"))
    links.add({text(tunnel, {"name"}), text(agent, {"name"}), text(agent, {"address"}), agent_state(agent),
               text(link, {"index"}), age(link, "since_s"), number(link, {"last_byte_ms"}, "%.0f ms"),
               number(link, {"rtt_ms"}, "%.1f ms"), text(link, {"outstanding"}), size(link, "bytes_in"),
               size(link, "bytes_out")});
  for (const json::value& upstream : list(agent, "upstreams")) {
    const json::value* up = find(upstream, {"up"});
    const std::string state = !up || !up->is_bool() ? "-" : up->get_bool() ? "up" : "down";
    upstreams.add({text(tunnel, {"name"}), text(agent, {"name"}), text(upstream, {"name"}),
                   text(upstream, {"url"}), state, text(upstream, {"detail"})});
  }
}

/// "no_agent 3, queue_full 1"
std::string errors(const json::value& route) {
  const json::value* counts = find(route, {"errors"});
  std::string out;
  if (counts && counts->is_object())
    for (const auto& [name, count] : counts->get_object())
      out += (out.empty() ? "" : ", ") + shown(name) + " " + text(count, {});
  return out.empty() ? "-" : out;
}

/// "3 (mismatch 2, missing 1)"
std::string refusals(const json::value& provider) {
  const json::value* counts = find(provider, {"refused"});
  std::uint64_t sum = 0;
  std::string reasons;
  if (counts && counts->is_object())
    for (const auto& [name, count] : counts->get_object()) {
      boost::system::error_code not_a_count;
      if (count.is_number()) sum += count.to_number<std::uint64_t>(not_a_count);
      reasons += (reasons.empty() ? "" : ", ") + shown(name) + " " + text(count, {});
    }
  return std::to_string(sum) + (reasons.empty() ? "" : " (" + reasons + ")");
}

/// One line for each route that has a provider; empty if there are none.
std::string provider_table(const json::value& stats) {
  Table table({"ROUTE", "PROVIDER", "ACCEPTED", "UNCHECKED", "CHALLENGES", "UNWANTED", "REFUSED"});
  bool any = false;
  for (const json::value& route : list(stats, "routes")) {
    const json::value* provider = find(route, {"provider"});
    if (!provider) continue;
    any = true;
    table.add({text(route, {"name"}), text(*provider, {"name"}), text(*provider, {"accepted"}),
               text(*provider, {"unchecked"}), text(*provider, {"challenges"}), text(*provider, {"unwanted"}),
               refusals(*provider)});
  }
  return any ? "\n" + table.str() : "";
}

/// How each route did lately and since the start; empty if the server does not say.
std::string recent_table(const json::value& stats) {
  Table table({"ROUTE", "LAST", "REQUESTS", "SUCCESS", "P50", "P90", "P99"});
  bool any = false;
  const auto add = [&table](std::string name, const char* last, const json::value& counts) {
    const auto latency = [&](std::string_view which) {
      return number(counts, {"latency_ms", which}, "%.1f ms");
    };
    table.add({std::move(name), last, text(counts, {"requests"}),
               number(counts, {"success_rate"}, "%.2f %%", 100), latency("p50"), latency("p90"),
               latency("p99")});
  };
  for (const json::value& route : list(stats, "routes")) {
    const json::value* minute = find(route, {"windows", "1m"});
    const json::value* quarter = find(route, {"windows", "15m"});
    if (!minute || !quarter) continue;
    any = true;
    add(text(route, {"name"}), "1 min", *minute);
    add("", "15 min", *quarter);
    add("", "start", route);
  }
  return any ? "\n" + table.str() : "";
}

bool is_about(const json::value& each, std::string_view route) {
  const json::value* name = find(each, {"route"});
  return name && name->is_string() && name->get_string() == route;
}

/// Whether events of the route are on their way, and if not, why.
std::string delivery_state(const json::value& inbox, std::string_view route) {
  for (const json::value& lane : list(inbox, "lanes")) {
    if (!is_about(lane, route)) continue;
    const json::value* paused = find(lane, {"paused"});
    if (paused && paused->is_string() && !paused->get_string().empty())
      return "paused: " + shown(paused->get_string());
    if (paused && paused->is_bool() && paused->get_bool()) return "paused";
    const json::value* breaker = find(lane, {"breaker"});
    if (breaker && breaker->is_string() && breaker->get_string() == "open") return "waits for the upstream";
  }
  return "delivers";
}

/// One line for each route that has events; empty if there are none.
std::string inbox_table(const json::value& inbox) {
  struct Counts {
    std::uint64_t waiting = 0, done = 0, dead = 0, quarantined = 0;
  };
  std::map<std::string, Counts> routes;
  for (const json::value& tally : list(inbox, "events")) {
    const json::value* route = find(tally, {"route"});
    const json::value* status = find(tally, {"status"});
    const json::value* events = find(tally, {"events"});
    if (!route || !route->is_string() || !status || !status->is_string() || !events || !events->is_number())
      continue;
    Counts& counts = routes[std::string(route->get_string())];
    const std::string_view state = status->get_string();
    std::uint64_t& count = state == "done"          ? counts.done
                           : state == "dead"        ? counts.dead
                           : state == "quarantined" ? counts.quarantined
                                                    : counts.waiting;
    boost::system::error_code not_a_count;
    count += events->to_number<std::uint64_t>(not_a_count);
  }
  if (routes.empty()) return "";
  Table table({"INBOX", "WAITING", "OLDEST", "DONE", "DEAD", "QUARANTINED", "STATE"});
  for (const auto& [route, counts] : routes) {
    std::string oldest = "-";
    for (const json::value& backlog : list(inbox, "backlogs"))
      if (is_about(backlog, route) && counts.waiting > 0) oldest = age(backlog, "oldest_s");
    table.add({shown(route), std::to_string(counts.waiting), oldest, std::to_string(counts.done),
               std::to_string(counts.dead), std::to_string(counts.quarantined),
               delivery_state(inbox, route)});
  }
  return "\n" + table.str();
}

std::string inbox_text(const json::value& stats) {
  const json::value* inbox = find(stats, {"inbox"});
  if (!inbox) return "";
  const json::value* ok = find(*inbox, {"ok"});
  const bool is_failing = ok && ok->is_bool() && !ok->get_bool();
  return inbox_table(*inbox) +
         (is_failing ? "\nEvents cannot be stored: " + text(*inbox, {"reason"}) + "\n" : "");
}

/// One line; empty while nobody has made a call.
std::string egress_text(const json::value& stats) {
  const json::value* egress = find(stats, {"egress"});
  const json::value* calls = egress ? find(*egress, {"calls"}) : nullptr;
  const json::value* running = egress ? find(*egress, {"running"}) : nullptr;
  const bool is_used = calls && running && (*calls != 0 || *running != 0);
  if (!is_used) return "";
  std::uint64_t failed = 0;
  const json::value* failures = find(*egress, {"failures"});
  boost::system::error_code not_a_count;
  if (failures && failures->is_object())
    for (const auto& [name, count] : failures->get_object())
      failed += count.to_number<std::uint64_t>(not_a_count);
  return "\nEgress: " + text(*egress, {"calls"}) + " calls, " + std::to_string(failed) + " failed, " +
         text(*egress, {"running"}) + " running, " + text(*egress, {"waiting"}) + " waiting; " +
         size(*egress, "bytes_out") + " out, " + size(*egress, "bytes_in") + " in\n";
}

}  // namespace

std::string status_table(const json::value& stats) {
  std::string out = text(stats, {"service"}) + "  rockdove " + text(stats, {"version"}) + "  up " +
                    age(stats, "uptime_s") + "  callers " + text(stats, {"ingress", "connections"}) + "\n\n";
  Table tunnels({"TUNNEL", "AGENTS", "RUNNING", "WAITING"});
  Table links(
      {"TUNNEL", "AGENT", "ADDRESS", "STATE", "LINK", "AGE", "LAST BYTE", "RTT", "STREAMS", "IN", "OUT"});
  Table upstreams({"TUNNEL", "AGENT", "UPSTREAM", "URL", "STATE", "DETAIL"});
  bool any_agent = false;
  for (const json::value& tunnel : list(stats, "tunnels")) {
    const json::array& agents = list(tunnel, "agents");
    tunnels.add({text(tunnel, {"name"}), std::to_string(agents.size()), text(tunnel, {"running"}),
                 text(tunnel, {"waiting"})});
    for (const json::value& agent : agents) add_agent(links, upstreams, tunnel, agent);
    any_agent = any_agent || !agents.empty();
  }
  if (list(stats, "tunnels").empty())
    return out + "No tunnels yet: rockdove token create TUNNEL makes one.\n" + recent_table(stats) +
           provider_table(stats) + inbox_text(stats);
  out += tunnels.str();
  out += any_agent ? "\n" + links.str() + "\n" + upstreams.str() : "\nNo agent is connected.\n";
  return out + recent_table(stats) + provider_table(stats) + inbox_text(stats) + egress_text(stats);
}

std::string stats_table(const json::value& stats) {
  Table table({"ROUTE", "TUNNEL", "REQUESTS", "2XX", "3XX", "4XX", "5XX", "SUCCESS", "P50", "P90", "P99",
               "MAX", "IN", "OUT", "ERRORS"});
  for (const json::value& route : list(stats, "routes")) {
    const auto latency = [&](std::string_view which) {
      return number(route, {"latency_ms", which}, "%.1f ms");
    };
    table.add({text(route, {"name"}), text(route, {"tunnel"}), text(route, {"requests"}),
               text(route, {"responses", "2xx"}), text(route, {"responses", "3xx"}),
               text(route, {"responses", "4xx"}), text(route, {"responses", "5xx"}),
               number(route, {"success_rate"}, "%.2f %%", 100), latency("p50"), latency("p90"),
               latency("p99"), latency("max"), size(route, "bytes_in"), size(route, "bytes_out"),
               errors(route)});
  }
  return table.str() + recent_table(stats) + "\nCallers: " + text(stats, {"ingress", "connections"}) +
         " connected, " + text(stats, {"ingress", "accepted"}) + " accepted, " +
         text(stats, {"ingress", "refused"}) + " refused\n";
}

}  // namespace rockdove::ops
