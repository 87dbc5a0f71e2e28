#include "ops/metrics.hpp"

#include "base/error.hpp"
#include "ops/condition.hpp"
#include "ops/exposition.hpp"
#include "ops/json_path.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <initializer_list>
#include <map>
#include <set>

namespace rockdove::ops {
namespace {

namespace json = boost::json;
using Path = std::initializer_list<std::string_view>;

const json::array& list(const json::value& from, Path path) {
  static const json::array none;
  const json::value* value = find(from, path);
  return value && value->is_array() ? value->get_array() : none;
}

const json::object& members(const json::value& from, Path path) {
  static const json::object none;
  const json::value* value = find(from, path);
  return value && value->is_object() ? value->get_object() : none;
}

std::string text(const json::value& from, std::string_view key) {
  const json::value* value = find(from, {key});
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

double as_number(const json::value& value) {
  if (value.is_bool()) return value.get_bool() ? 1 : 0;
  return value.is_number() ? value.to_number<double>() : 0;
}

double number(const json::value& from, Path path) {
  const json::value* value = find(from, path);
  return value ? as_number(*value) : 0;
}

void add_routes(Exposition& out, const MetricsSource& source) {
  static constexpr const char* class_names[] = {"gone", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (const MetricsSource::Route& route : source.routes) {
    const RouteStats& stats = *route.stats;
    const MetricLabels labels{{"route", route.name}, {"tunnel", route.tunnel}};
    for (const std::size_t each : {2, 3, 4, 5, 0}) {
      MetricLabels of_class = labels;
      of_class.push_back({"class", class_names[each]});
      const std::uint64_t count = stats.by_class[each] + (each == 2 ? stats.by_class[1] : 0);
      out.counter("rockdove_requests_total", "Requests that have ended, by the class of their status.",
                  static_cast<double>(count), of_class);
    }
    for (const auto& [cause, count] : stats.errors) {
      MetricLabels of_cause = labels;
      of_cause.push_back({"hop", std::string(hop_name(hop_of(error_named(cause))))});
      of_cause.push_back({"cause", cause});
      out.counter("rockdove_request_failures_total",
                  "Requests without a whole answer of the upstream, by where and why they failed.",
                  static_cast<double>(count), of_cause);
    }
    out.counter("rockdove_request_body_bytes_total", "Bytes of requests' bodies.",
                static_cast<double>(stats.bytes_in), labels);
    out.counter("rockdove_response_body_bytes_total", "Bytes of answers' bodies.",
                static_cast<double>(stats.bytes_out), labels);
    out.histogram("rockdove_request_duration_seconds",
                  "From a request's head to the last byte of its answer.", stats.latency, labels);
    out.histogram("rockdove_request_first_byte_seconds",
                  "From a request's head to the head of its answer: link, agent and upstream, or the disk.",
                  stats.first_byte, labels);
  }
}

void add_providers(Exposition& out, const json::value& stats) {
  for (const json::value& route : list(stats, {"routes"})) {
    const json::value* provider = find(route, {"provider"});
    if (!provider) continue;
    const MetricLabels labels{{"route", text(route, "name")}, {"provider", text(*provider, "name")}};
    for (const char* outcome : {"accepted", "unchecked", "challenges", "unwanted"}) {
      MetricLabels with_outcome = labels;
      with_outcome.push_back({"outcome", outcome});
      out.counter("rockdove_provider_requests_total",
                  "Requests of providers that went on, by what they were.", number(*provider, {outcome}),
                  with_outcome);
    }
    for (const auto& [reason, count] : members(*provider, {"refused"})) {
      MetricLabels with_reason = labels;
      with_reason.push_back({"reason", std::string(reason)});
      out.counter("rockdove_provider_refused_total", "Requests whose signature or secret was not right.",
                  as_number(count), with_reason);
    }
  }
  for (const auto& [outcome, count] : members(stats, {"callbacks"}))
    out.counter("rockdove_callbacks_total", "Live requests with a deadline, by what their caller got.",
                as_number(count), {{"outcome", std::string(outcome)}});
}

void add_agent(Exposition& out, const std::string& tunnel, const json::value& agent) {
  const MetricLabels labels{{"tunnel", tunnel}, {"agent", text(agent, "name")}};
  std::set<std::string> seen;  // a sample that came twice would spoil the whole scrape
  for (const json::value& upstream : list(agent, {"upstreams"})) {
    std::string name = text(upstream, "name");
    if (!seen.insert(name).second) continue;
    MetricLabels of_upstream = labels;
    of_upstream.push_back({"upstream", std::move(name)});
    out.gauge("rockdove_upstream_up", "1 if the agent reaches its upstream.", number(upstream, {"up"}),
              of_upstream);
  }
  for (const json::value& link : list(agent, {"links"})) {
    MetricLabels of_link = labels;
    of_link.push_back({"link", std::to_string(static_cast<int>(number(link, {"index"})))});
    out.gauge("rockdove_link_rtt_seconds", "Round trip of the link's pings, smoothed; 0 before the first.",
              number(link, {"rtt_ms"}) / 1000, of_link);
    out.gauge("rockdove_link_age_seconds", "Time since the link was made.", number(link, {"since_s"}),
              of_link);
    out.gauge("rockdove_link_streams", "Requests on the link now.", number(link, {"outstanding"}), of_link);
  }
}

/// Of a tunnel whose agent has not come since the start too, or nobody would be told of its absence; not of
/// one whose tokens were revoked, or nobody could make it stop.
void add_agent_counts(Exposition& out, const MetricsSource& source) {
  std::map<std::string, std::size_t> counts;
  for (const std::string& name : source.tunnels) counts[name] = 0;
  for (const json::value& tunnel : list(source.stats, {"tunnels"})) {
    const std::size_t count = list(tunnel, {"agents"}).size();
    if (count > 0) counts[text(tunnel, "name")] = count;
  }
  for (const auto& [name, count] : counts)
    out.gauge("rockdove_agents", "Agents connected, of each tunnel that has a token.",
              static_cast<double>(count), {{"tunnel", name}});
}

void add_tunnels(Exposition& out, const json::value& stats) {
  for (const json::value& tunnel : list(stats, {"tunnels"})) {
    const std::string name = text(tunnel, "name");
    const MetricLabels labels{{"tunnel", name}};
    const json::array& agents = list(tunnel, {"agents"});
    std::size_t links = 0;
    for (const json::value& agent : agents) links += list(agent, {"links"}).size();
    out.gauge("rockdove_requests_running", "Requests that have a place.", number(tunnel, {"running"}),
              labels);
    out.gauge("rockdove_requests_waiting", "Requests that wait for a place or an agent.",
              number(tunnel, {"waiting"}), labels);
    out.gauge("rockdove_links", "Links of agents.", static_cast<double>(links), labels);
    out.counter("rockdove_links_accepted_total",
                "Links that agents have made: the first ones and reconnects.",
                number(tunnel, {"links_accepted"}), labels);
    out.counter("rockdove_link_reconnects_total",
                "Those that an agent had made before: after the loss of the link, or a restart of the agent.",
                number(tunnel, {"reconnects"}), labels);
    out.counter("rockdove_link_received_bytes_total", "Bytes from agents, inside TLS.",
                number(tunnel, {"bytes_in"}), labels);
    out.counter("rockdove_link_sent_bytes_total", "Bytes to agents, inside TLS.",
                number(tunnel, {"bytes_out"}), labels);
    for (const json::value& agent : agents) add_agent(out, name, agent);
  }
  out.gauge("rockdove_link_memory_bytes", "Bytes that the links' streams hold.",
            number(stats, {"link_memory", "used"}));
  out.gauge("rockdove_link_memory_limit_bytes", "The most they may hold.",
            number(stats, {"link_memory", "limit"}));
}

/// One family, so that the hops of a tunnel can be laid one on the other.
void add_hop_times(Exposition& out, const MetricsSource& source) {
  const char* help = "Times to the head of an answer: at the server, on the link, at the agent and upstream.";
  for (const auto& [tunnel, times] : source.hop_times) {
    const auto add = [&](const char* hop, const Histogram& values) {
      out.histogram("rockdove_hop_seconds", help, values, {{"tunnel", tunnel}, {"hop", hop}});
    };
    add("edge", times->edge);
    add("link", times->link);
    add("upstream", times->upstream);
  }
}

void add_lane(Exposition& out, const json::value& lane) {
  const std::string route = text(lane, "route");
  out.gauge("rockdove_inbox_attempts_running", "Attempts under way.", number(lane, {"running"}),
            {{"route", route}});
  out.gauge("rockdove_inbox_paused", "1 if the route's deliveries are paused.", number(lane, {"paused"}),
            {{"route", route}});
  out.gauge("rockdove_inbox_breaker_open", "1 while attempts keep failing and the upstream is only probed.",
            text(lane, "breaker") == "open" ? 1 : 0, {{"route", route}});
  for (const auto& [outcome, count] : members(lane, {"attempts"}))
    out.counter("rockdove_inbox_attempts_total", "Attempts to deliver an event, by how they ended.",
                as_number(count), {{"route", route}, {"outcome", std::string(outcome)}});
}

void add_inbox(Exposition& out, const json::value& inbox) {
  out.gauge("rockdove_inbox_ok", "1 if events can be stored.", number(inbox, {"ok"}));
  for (const json::value& tally : list(inbox, {"events"})) {
    const MetricLabels labels{{"route", text(tally, "route")},
                              {"tunnel", text(tally, "tunnel")},
                              {"status", text(tally, "status")}};
    out.gauge("rockdove_inbox_events", "Events on disk; dead letters are those of status \"dead\".",
              number(tally, {"events"}), labels);
    out.gauge("rockdove_inbox_bytes", "Bytes of their requests.", number(tally, {"bytes"}), labels);
  }
  for (const json::value& backlog : list(inbox, {"backlogs"}))
    out.gauge("rockdove_inbox_oldest_seconds", "Age of the oldest event that is not delivered yet.",
              number(backlog, {"oldest_s"}), {{"route", text(backlog, "route")}});
  for (const json::value& lane : list(inbox, {"lanes"})) add_lane(out, lane);
  for (const auto& [outcome, count] : members(inbox, {"requests"}))
    out.counter(
        "rockdove_inbox_requests_total",
        "Requests of stored routes; duplicates are those that dedupe has kept from a second delivery.",
        as_number(count), {{"outcome", std::string(outcome)}});
  out.counter("rockdove_inbox_commits_total", "Transactions.", number(inbox, {"commits", "count"}));
  out.gauge("rockdove_inbox_commit_last_seconds", "What the last transaction took, fsync included.",
            number(inbox, {"commits", "last_ms"}) / 1000);
  out.gauge("rockdove_inbox_commit_slowest_seconds", "What the slowest one took since the start.",
            number(inbox, {"commits", "slowest_ms"}) / 1000);
}

void add_egress(Exposition& out, const json::value& egress) {
  for (const json::value& each : list(egress, {"destinations"})) {
    const std::string name = text(each, "name");
    double failed = 0;
    for (const auto& [cause, count] : members(each, {"failures"})) {
      failed += as_number(count);
      out.counter("rockdove_egress_failures_total", "Calls that a rule allows and that failed, by cause.",
                  as_number(count), {{"destination", name}, {"cause", std::string(cause)}});
    }
    const double calls = number(each, {"calls"});
    const char* help = "Calls that a rule allows and that have ended.";
    out.counter("rockdove_egress_calls_total", help, calls - failed,
                {{"destination", name}, {"outcome", "answered"}});
    out.counter("rockdove_egress_calls_total", help, failed, {{"destination", name}, {"outcome", "failed"}});
    out.counter("rockdove_egress_sent_bytes_total", "Body bytes to the destination.",
                number(each, {"bytes_out"}), {{"destination", name}});
    out.counter("rockdove_egress_received_bytes_total", "Body bytes from the destination.",
                number(each, {"bytes_in"}), {{"destination", name}});
  }
  for (const auto& [cause, count] : members(egress, {"failures"}))
    out.counter("rockdove_egress_all_failures_total", "Calls that failed, denied ones included, by cause.",
                as_number(count), {{"cause", std::string(cause)}});
  out.gauge("rockdove_egress_running", "Calls under way.", number(egress, {"running"}));
  out.gauge("rockdove_egress_waiting", "Those of them that wait for their turn.",
            number(egress, {"waiting"}));
  out.gauge("rockdove_egress_links", "Egress links of agents.", number(egress, {"links"}));
  out.counter("rockdove_egress_unauthorized_total", "Credentials refused at the proxy port.",
              number(egress, {"unauthorized"}));
}

void add_alerts(Exposition& out, const json::value& stats) {
  std::map<std::string, double> firing;
  for (const AlertKind kind : alert_kinds) firing[std::string(alert_kind_name(kind))] = 0;
  for (const json::value& each : list(stats, {"alerts", "firing"})) ++firing[text(each, "kind")];
  for (const auto& [kind, count] : firing)
    out.gauge("rockdove_alerts_firing", "Alerts that are firing now, told to somebody or not.", count,
              {{"kind", kind}});
  for (const auto& [result, count] : members(stats, {"alerts", "messages"}))
    out.counter("rockdove_alert_messages_total", "Messages to receivers of alerts, by what became of them.",
                as_number(count), {{"result", std::string(result)}});
  out.gauge("rockdove_alert_messages_waiting", "Messages that have not reached their receiver yet.",
            number(stats, {"alerts", "waiting"}));
}

void add_callers(Exposition& out, const json::value& stats) {
  out.gauge("rockdove_connections", "Callers' connections open now.",
            number(stats, {"ingress", "connections"}));
  out.counter("rockdove_connections_accepted_total", "Callers' connections taken.",
              number(stats, {"ingress", "accepted"}));
  out.counter("rockdove_connections_refused_total", "Callers turned away at the limit of connections.",
              number(stats, {"ingress", "refused"}));
  for (const auto& [cause, count] : members(stats, {"ingress", "rejections"}))
    out.counter("rockdove_requests_rejected_total",
                "Requests that were no valid HTTP, too slow or over a limit, by cause.", as_number(count),
                {{"cause", std::string(cause)}});
  out.counter("rockdove_handshakes_refused_total", "Handshakes of agents turned away, or closed for others.",
              number(stats, {"handshakes", "refused"}));
  out.counter("rockdove_admin_requests_total", "Requests to the API.", number(stats, {"admin", "requests"}));
  out.counter("rockdove_admin_unauthorized_total", "Requests to the API without the right token.",
              number(stats, {"admin", "unauthorized"}));
}

void add_process(Exposition& out, const MetricsSource& source) {
  out.gauge("rockdove_build_info", "Always 1; the labels say what runs.", 1,
            {{"version", text(source.stats, "version")}});
  for (const CertificateEnd& each : source.certificates)
    out.gauge("rockdove_certificate_expiry_timestamp_seconds", "When the port's certificate ends.",
              static_cast<double>(each.end.time_since_epoch().count()), {{"port", each.port}});
  if (source.disk) {
    out.gauge("rockdove_data_disk_available_bytes", "Free space where the data directory is.",
              static_cast<double>(source.disk->available));
    out.gauge("rockdove_data_disk_size_bytes", "Size of that file system.",
              static_cast<double>(source.disk->size));
  }
  out.gauge("process_start_time_seconds", "Start of the server since the Unix epoch.",
            static_cast<double>(source.started.time_since_epoch().count()) / 1000);
  if (!source.process) return;
  const ProcessStats& process = *source.process;
  out.counter("process_cpu_seconds_total", "User and system CPU time.", process.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory.", static_cast<double>(process.resident_bytes));
  out.gauge("process_virtual_memory_bytes", "Virtual memory.", static_cast<double>(process.virtual_bytes));
  out.gauge("process_open_fds", "Open file descriptors.", static_cast<double>(process.open_descriptors));
  out.gauge("process_max_fds", "The most there may be.", static_cast<double>(process.descriptors_max));
}

}  // namespace

std::string metrics_text(const MetricsSource& source) {
  static const json::value nothing;
  const json::value* inbox = find(source.stats, {"inbox"});
  const json::value* egress = find(source.stats, {"egress"});
  Exposition out;
  add_routes(out, source);
  add_providers(out, source.stats);
  add_agent_counts(out, source);
  add_tunnels(out, source.stats);
  add_hop_times(out, source);
  add_inbox(out, inbox ? *inbox : nothing);
  out.histogram("rockdove_inbox_commit_seconds", "What the transactions took, fsync included.",
                source.commit_times, {});
  add_egress(out, egress ? *egress : nothing);
  add_alerts(out, source.stats);
  add_callers(out, source.stats);
  add_process(out, source);
  return out.str();
}

}  // namespace rockdove::ops
