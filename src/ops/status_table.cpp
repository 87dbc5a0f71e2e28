#include "ops/status_table.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

namespace rockdove::ops {
namespace {

namespace json = boost::json;

/// What `path` ("ingress", "connections") leads to, or null.
const json::value* find(const json::value& from, std::initializer_list<std::string_view> path) {
  const json::value* at = &from;
  for (const auto key : path) {
    const json::object* object = at->if_object();
    at = object ? object->if_contains(key) : nullptr;
    if (!at) return nullptr;
  }
  return at;
}

const json::array& list(const json::value& from, std::string_view key) {
  static const json::array none;
  const json::value* value = find(from, {key});
  return value && value->is_array() ? value->get_array() : none;
}

/// Names come from agents: control bytes must not reach the terminal.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out.empty() ? "-" : out;
}

std::string text(const json::value& from, std::initializer_list<std::string_view> path) {
  const json::value* value = find(from, path);
  if (!value || value->is_null()) return "-";
  if (value->is_string()) return printable(value->get_string());
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
  if (!value || !value->is_number()) return "-";
  double bytes = value->to_number<double>();
  constexpr std::array<const char*, 5> formats = {"%.0f B", "%.1f KiB", "%.1f MiB", "%.1f GiB", "%.1f TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < formats.size(); ++unit) bytes /= 1024;
  return decimal(bytes, formats[unit]);
}

/// "3h12m": the two largest units are all one wants to know.
std::string age(const json::value& from, std::string_view key) {
  const json::value* value = find(from, {key});
  if (!value || !value->is_number()) return "-";
  const double seconds = std::clamp(value->to_number<double>(), 0.0, 1e12);
  const auto whole = static_cast<long long>(seconds);
  if (whole < 60) return std::to_string(whole) + "s";
  if (whole < 3600) return std::to_string(whole / 60) + "m" + std::to_string(whole % 60) + "s";
  if (whole < 86400) return std::to_string(whole / 3600) + "h" + std::to_string(whole / 60 % 60) + "m";
  return std::to_string(whole / 86400) + "d" + std::to_string(whole / 3600 % 24) + "h";
}

class Table {
 public:
  explicit Table(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string str() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string out;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i)
        line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

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
      out += (out.empty() ? "" : ", ") + printable(name) + " " + text(count, {});
  return out.empty() ? "-" : out;
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
    return out + "No tunnels yet: rockdove token create TUNNEL makes one.\n";
  out += tunnels.str();
  return any_agent ? out + "\n" + links.str() + "\n" + upstreams.str() : out + "\nNo agent is connected.\n";
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
  return table.str() + "\nCallers: " + text(stats, {"ingress", "connections"}) + " connected, " +
         text(stats, {"ingress", "accepted"}) + " accepted, " + text(stats, {"ingress", "refused"}) +
         " refused\n";
}

}  // namespace rockdove::ops
