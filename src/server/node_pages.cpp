// What the server says of itself: /health, /stats and /metrics.
#include "server/node.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <filesystem>

namespace rockdove::server {
namespace {

constexpr std::chrono::minutes commit_memory{5};  // a slow commit longer ago says nothing of the disk now

http::Response json_page(int status, const boost::json::value& json) {
  return http::make_response(status, "application/json", boost::json::serialize(json) + "\n");
}

}  // namespace

std::optional<http::Response> Node::page(std::string_view target, Audience audience) const {
  if (target == "/health") return health(audience);
  if (target == "/stats") return json_page(200, stats(audience));
  if (audience != Audience::operators) return std::nullopt;
  if (target == "/health/live") return live();
  if (target == "/health/ready") return ready();
  if (target == "/metrics") return http::make_response(200, ops::metrics_type, metrics());
  return std::nullopt;
}

std::int64_t Node::uptime() const {
  return std::chrono::duration_cast<std::chrono::seconds>(net::Clock::now() - started_).count();
}

std::optional<ops::Disk> Node::disk() const {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(config_.data, error);
  if (error) return std::nullopt;
  return ops::Disk{space.capacity, space.available};
}

std::set<std::string> Node::tunnels() const {
  std::set<std::string> names;
  for (const Token& token : tokens_.list()) names.insert(token.tunnel);
  return names;
}

ops::Health Node::judge_health() const {
  const inbox::StoreHealth store = inbox_.health();
  const boost::json::value connected = agents_.to_json(true);
  ops::HealthFacts facts;
  facts.can_store = store.ok;
  facts.store_reason = store.reason;
  facts.tunnels = tunnels();
  facts.connected = &connected;
  facts.disk = disk();
  if (net::Clock::now() - committed_ < commit_memory)
    facts.commit = std::chrono::duration_cast<std::chrono::milliseconds>(store.last_commit);
  facts.certificates = certificates_;
  const auto now = std::chrono::system_clock::now();
  facts.now = std::chrono::floor<std::chrono::seconds>(now);
  for (const inbox::Backlog& each : inbox_.backlogs())
    facts.backlogs[each.route] = std::chrono::floor<std::chrono::seconds>(now - each.oldest);
  for (const inbox::Tally& each : inbox_.tallies())
    if (each.state == inbox::State::dead) facts.dead_letters[each.route] += each.events;
  facts.low_bytes = config_.alerts.disk_free;
  facts.near_end = std::chrono::floor<std::chrono::seconds>(config_.alerts.certificate);
  facts.backlog_max = std::chrono::floor<std::chrono::seconds>(config_.alerts.backlog_age);
  return ops::judge(facts);
}

http::Response Node::health(Audience audience) const {
  const ops::Health found = judge_health();
  boost::json::object health;
  health["status"] = found.status();
  health["service"] = config_.service;
  health["ws_port"] = tunnel_listener_->endpoint().port();
  health["active_connections"] = agents_.agent_count();
  health["version"] = ROCKDOVE_VERSION;
  health["uptime_s"] = uptime();
  boost::json::array reasons;
  for (const ops::Health::Reason& each : found.reasons) {
    const boost::json::value text(audience == Audience::operators ? each.operators : each.everybody);
    if (std::ranges::find(reasons, text) == reasons.end()) reasons.push_back(text);
  }
  if (!reasons.empty()) health["reasons"] = std::move(reasons);
  return json_page(found.is_failing ? 503 : 200, health);
}

/// The loop runs, or nobody would answer.
http::Response Node::live() const {
  const boost::json::object live{{"status", "live"}};
  return json_page(200, live);
}

/// Whether new callers should be sent here. Nothing that only an agent's side can mend is a reason not to.
http::Response Node::ready() const {
  const char* status = stopping_ ? "stopping" : !inbox_.health().ok ? "failing" : "ready";
  const boost::json::object ready{{"status", status}};
  return json_page(status == std::string_view("ready") ? 200 : 503, ready);
}

boost::json::object Node::stats(Audience audience) const {
  const auto counters = ingress_listener_->counters();
  boost::json::object stats;
  stats["version"] = ROCKDOVE_VERSION;
  stats["uptime_s"] = uptime();
  stats["service"] = config_.service;
  stats["tunnels"] = agents_.to_json(audience == Audience::operators);
  stats["routes"] = ingress_.to_json();
  const Callbacks::Counters& callbacks = ingress_.callbacks();
  stats["callbacks"] = {
      {"answered", callbacks.answered}, {"late", callbacks.late}, {"failed", callbacks.failed}};
  boost::json::object inbox = inbox_.to_json();
  if (audience == Audience::everybody)
    for (const char* key : {"reason", "lanes"}) inbox.erase(key);
  stats["inbox"] = std::move(inbox);
  stats["egress"] = egress_.to_json(audience == Audience::operators);
  boost::json::object rejections;
  for (const auto& [cause, count] : ingress_server_.stats().rejections) rejections[cause] = count;
  stats["ingress"] = {{"connections", counters.active},
                      {"accepted", counters.accepted},
                      {"refused", counters.overflow},
                      {"rejected", ingress_server_.stats().rejected},
                      {"rejections", std::move(rejections)}};
  stats["handshakes"] = {{"refused", link_port_.handshakes().refused()}};
  if (audience == Audience::operators) {
    stats["alerts"] = alerts_.to_json();
    stats["admin"] = {{"requests", admin_.counters().requests},
                      {"unauthorized", admin_.counters().unauthorized}};
  }
  stats["link_memory"] = {{"used", budget_.used}, {"limit", budget_.limit}};
  return stats;
}

std::string Node::metrics() const {
  const boost::json::value known(stats(Audience::operators));
  ops::MetricsSource source{.stats = known,
                            .routes = ingress_.routes(),
                            .tunnels = tunnels(),
                            .hop_times = agents_.hop_times(),
                            .commit_times = inbox_.health().commit_times,
                            .certificates = certificates_,
                            .disk = disk(),
                            .process = ops::process_stats(),
                            .started = std::chrono::floor<std::chrono::milliseconds>(started_at_)};
  return ops::metrics_text(source);
}

}  // namespace rockdove::server
