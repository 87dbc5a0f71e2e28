#include "ops/metrics.hpp"

#include "ops/exposition.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <map>
#include <set>
#include <sstream>

namespace rockdove::ops {
namespace {

/// A text that is read as strictly as a scraper does it: every sample follows the TYPE of its family.
struct Scrape {
  std::map<std::string, std::string> types;
  std::map<std::string, double> samples;  // by name and labels, as written

  explicit Scrape(const std::string& text) {
    std::istringstream lines(text);
    std::string line, family;
    std::set<std::string> helped;
    while (std::getline(lines, line)) {
      std::istringstream words(line);
      std::string first, kind, name, type;
      words >> first;
      if (first == "#") {
        words >> kind >> name >> type;
        const bool is_new = kind == "HELP" ? helped.insert(name).second : types.emplace(name, type).second;
        EXPECT_TRUE(is_new) << "two families " << name;
        family = name;
        continue;
      }
      const auto end = line.rfind(' ');
      EXPECT_NE(end, line.npos) << line;
      EXPECT_TRUE(line.starts_with(family)) << line << " is not of " << family;
      EXPECT_TRUE(samples.emplace(line.substr(0, end), std::stod(line.substr(end + 1))).second)
          << "twice: " << line;
    }
  }
  double at(const std::string& sample) const {
    const auto found = samples.find(sample);
    return found == samples.end() ? -1 : found->second;
  }
};

const boost::json::value sample = boost::json::parse(R"({"version":"0.1.0",
  "tunnels":[{"name":"bot","running":2,"waiting":1,"links_accepted":7,"reconnects":4,
    "bytes_in":1000,"bytes_out":2000,
    "agents":[{"name":"office","links":[{"index":0,"rtt_ms":12.5,"since_s":75,"outstanding":3},
                                        {"index":1,"rtt_ms":0,"since_s":1,"outstanding":0}],
               "upstreams":[{"name":"default","up":true},{"name":"x","up":false},{"name":"x","up":true}]}]},
             {"name":"revoked","links_accepted":1,"agents":[]}],
  "routes":[{"name":"hook","provider":{"name":"feishu","accepted":12,"unchecked":0,"challenges":1,
                                       "unwanted":0,"refused":{"mismatch":2}}}],
  "callbacks":{"answered":4,"late":1,"failed":0},
  "inbox":{"ok":true,"events":[{"route":"hook","tunnel":"bot","status":"dead","events":3,"bytes":90}],
    "backlogs":[{"route":"hook","oldest_s":75.5}],
    "lanes":[{"route":"hook","running":1,"paused":true,"breaker":"open",
              "attempts":{"delivered":5,"retry":2}}],
    "requests":{"stored":12,"duplicates":1},"commits":{"count":21,"last_ms":1.5,"slowest_ms":9.75}},
  "egress":{"running":1,"waiting":0,"links":1,"unauthorized":2,"failures":{"destination_denied":2},
    "destinations":[{"name":"a.com:443","calls":10,"bytes_out":5,"bytes_in":6,
                     "failures":{"destination_timeout":4}}]},
  "alerts":{"firing":[{"kind":"agent_gone"},{"kind":"agent_gone"},{"kind":"store"}],
    "messages":{"sent":7,"rejected":1,"dropped":2},"waiting":4},
  "ingress":{"connections":3,"accepted":10,"refused":2,"rejected":1,"rejections":{"header_too_large":1}},
  "handshakes":{"refused":6},
  "admin":{"requests":4,"unauthorized":1},"link_memory":{"used":5,"limit":100}})");

RouteStats some_requests() {
  RouteStats stats;
  for (const int status : {200, 101, 404, 502, 502, 0}) {
    http::Record record;
    record.status = status;
    record.started = net::Clock::now();
    record.answered = record.started + std::chrono::microseconds(1023);
    record.ended = record.started + std::chrono::microseconds(status == 502 ? 3'000'000 : 1024);
    record.bytes_in = 10;
    record.bytes_out = 100;
    if (status == 502) record.error = Error::upstream_refused;
    stats.add(record);
  }
  return stats;
}

Scrape scrape_of(const boost::json::value& stats, const RouteStats& route) {
  const std::chrono::sys_seconds end{std::chrono::seconds(1'900'000'000)};
  const std::chrono::sys_time<std::chrono::milliseconds> started{std::chrono::milliseconds(1500)};
  HopTimes times;
  times.edge.add(500);
  for (const std::uint64_t each : {1'000, 10'000}) {
    times.link.add(each);
    times.upstream.add(each);
  }
  Histogram commits;
  commits.add(1'500);
  const MetricsSource source{.stats = stats,
                             .routes = {{"hook", "bot", &route}},
                             .tunnels = {"bot", "depot"},
                             .hop_times = {{"bot", &times}},
                             .commit_times = commits,
                             .certificates = {{"ingress", end}},
                             .disk = Disk{1000, 250},
                             .process = process_stats(),
                             .started = started};
  return Scrape(metrics_text(source));
}

TEST(Metrics, requests_are_counted_by_class_and_failures_by_hop) {
  const RouteStats route = some_requests();
  const Scrape scrape = scrape_of(sample, route);
  const std::string labels = R"({route="hook",tunnel="bot")";
  const std::string requests = "rockdove_requests_total" + labels;
  EXPECT_EQ(scrape.at(requests + R"(,class="2xx"})"), 2) << "a protocol switch is a success";
  EXPECT_EQ(scrape.at(requests + R"(,class="3xx"})"), 0);
  EXPECT_EQ(scrape.at(requests + R"(,class="4xx"})"), 1);
  EXPECT_EQ(scrape.at(requests + R"(,class="5xx"})"), 2);
  EXPECT_EQ(scrape.at(requests + R"(,class="gone"})"), 1);
  EXPECT_EQ(
      scrape.at("rockdove_request_failures_total" + labels + R"(,hop="upstream",cause="upstream_refused"})"),
      2);
  EXPECT_EQ(scrape.at("rockdove_request_body_bytes_total" + labels + "}"), 60);
  EXPECT_EQ(scrape.at("rockdove_response_body_bytes_total" + labels + "}"), 600);
}

TEST(Metrics, histograms_are_cumulative_and_their_counts_exact) {
  const RouteStats route = some_requests();
  const Scrape scrape = scrape_of(sample, route);
  const auto bucket = [&](const std::string& name, const std::string& edge) {
    return scrape.at(name + R"(_bucket{route="hook",tunnel="bot",le=")" + edge + "\"}");
  };
  const std::string whole = "rockdove_request_duration_seconds",
                    first = "rockdove_request_first_byte_seconds";
  EXPECT_EQ(scrape.types.at(whole), "histogram");
  EXPECT_EQ(bucket(whole, "+Inf"), 6);
  EXPECT_EQ(scrape.at(whole + R"(_count{route="hook",tunnel="bot"})"), 6);
  EXPECT_NEAR(scrape.at(whole + R"(_sum{route="hook",tunnel="bot"})"), 6.004096, 1e-6);
  EXPECT_EQ(scrape.at(first + R"(_count{route="hook",tunnel="bot"})"), 5);
  double before = 0;
  std::map<double, double> counts;  // by edge
  for (const auto& [name, value] : scrape.samples) {
    const auto at = name.find("le=\"");
    if (name.starts_with(whole + "_bucket") && name.find("Inf") == name.npos)
      counts[std::stod(name.substr(at + 4))] = value;
  }
  ASSERT_EQ(counts.size(), 17U);
  EXPECT_NEAR(counts.begin()->first, 0.001024, 1e-12);
  EXPECT_EQ(counts.begin()->second, 0) << "1024 us are not less than that";
  for (const auto& [edge, count] : counts) {
    EXPECT_GE(count, before);
    EXPECT_EQ(count, edge < 0.002 ? 0 : edge < 3 ? 4 : 6) << edge;
    before = count;
  }
}

TEST(Metrics, what_stats_knows_is_shown_in_base_units) {
  const RouteStats route;
  const Scrape scrape = scrape_of(sample, route);
  const struct {
    const char* sample;
    double value;
  } cases[] = {
      {R"(rockdove_requests_running{tunnel="bot"})", 2},
      {R"(rockdove_requests_waiting{tunnel="bot"})", 1},
      {R"(rockdove_agents{tunnel="bot"})", 1},
      {R"(rockdove_agents{tunnel="depot"})", 0},     // has a token, and its agent has not come yet
      {R"(rockdove_agents{tunnel="revoked"})", -1},  // had one
      {R"(rockdove_links{tunnel="bot"})", 2},
      {R"(rockdove_links{tunnel="revoked"})", 0},
      {R"(rockdove_links_accepted_total{tunnel="bot"})", 7},
      {R"(rockdove_link_received_bytes_total{tunnel="bot"})", 1000},
      {R"(rockdove_link_sent_bytes_total{tunnel="bot"})", 2000},
      {R"(rockdove_link_rtt_seconds{tunnel="bot",agent="office",link="0"})", 0.0125},
      {R"(rockdove_link_streams{tunnel="bot",agent="office",link="0"})", 3},
      {R"(rockdove_upstream_up{tunnel="bot",agent="office",upstream="default"})", 1},
      {R"(rockdove_upstream_up{tunnel="bot",agent="office",upstream="x"})", 0},
      {R"(rockdove_provider_requests_total{route="hook",provider="feishu",outcome="accepted"})", 12},
      {R"(rockdove_provider_refused_total{route="hook",provider="feishu",reason="mismatch"})", 2},
      {R"(rockdove_callbacks_total{outcome="late"})", 1},
      {R"(rockdove_inbox_ok)", 1},
      {R"(rockdove_inbox_events{route="hook",tunnel="bot",status="dead"})", 3},
      {R"(rockdove_inbox_oldest_seconds{route="hook"})", 75.5},
      {R"(rockdove_inbox_paused{route="hook"})", 1},
      {R"(rockdove_inbox_breaker_open{route="hook"})", 1},
      {R"(rockdove_inbox_attempts_total{route="hook",outcome="delivered"})", 5},
      {R"(rockdove_inbox_requests_total{outcome="duplicates"})", 1},
      {R"(rockdove_inbox_commits_total)", 21},
      {R"(rockdove_inbox_commit_last_seconds)", 0.0015},
      {R"(rockdove_egress_calls_total{destination="a.com:443",outcome="answered"})", 6},
      {R"(rockdove_egress_calls_total{destination="a.com:443",outcome="failed"})", 4},
      {R"(rockdove_egress_failures_total{destination="a.com:443",cause="destination_timeout"})", 4},
      {R"(rockdove_egress_all_failures_total{cause="destination_denied"})", 2},
      {R"(rockdove_alerts_firing{kind="agent_gone"})", 2},
      {R"(rockdove_alerts_firing{kind="store"})", 1},
      {R"(rockdove_alerts_firing{kind="certificate"})", 0},
      {R"(rockdove_alert_messages_total{result="dropped"})", 2},
      {R"(rockdove_alert_messages_waiting)", 4},
      {R"(rockdove_connections_refused_total)", 2},
      {R"(rockdove_requests_rejected_total{cause="header_too_large"})", 1},
      {R"(rockdove_handshakes_refused_total)", 6},
      {R"(rockdove_link_reconnects_total{tunnel="bot"})", 4},
      {R"(rockdove_hop_seconds_count{tunnel="bot",hop="edge"})", 1},
      {R"(rockdove_hop_seconds_count{tunnel="bot",hop="link"})", 2},
      {R"(rockdove_hop_seconds_bucket{tunnel="bot",hop="upstream",le="0.002048"})", 1},
      {R"(rockdove_hop_seconds_sum{tunnel="bot",hop="upstream"})", 0.011},
      {R"(rockdove_inbox_commit_seconds_count)", 1},
      {R"(rockdove_inbox_commit_seconds_sum)", 0.0015},
      {R"(rockdove_admin_unauthorized_total)", 1},
      {R"(rockdove_link_memory_limit_bytes)", 100},
      {R"(rockdove_build_info{version="0.1.0"})", 1},
      {R"(rockdove_certificate_expiry_timestamp_seconds{port="ingress"})", 1.9e9},
      {R"(rockdove_data_disk_available_bytes)", 250},
      {R"(process_start_time_seconds)", 1.5},
  };
  for (const auto& each : cases) EXPECT_DOUBLE_EQ(scrape.at(each.sample), each.value) << each.sample;
}

TEST(Metrics, names_follow_the_conventions) {
  const RouteStats route = some_requests();
  for (const auto& [name, type] : scrape_of(sample, route).types) {
    EXPECT_EQ(name.ends_with("_total"), type == "counter") << name;
    EXPECT_TRUE(name.starts_with("rockdove_") || name.starts_with("process_")) << name;
  }
}

TEST(Metrics, this_process_is_measured) {
  const RouteStats route;
  const Scrape scrape = scrape_of(sample, route);
  EXPECT_GT(scrape.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(scrape.at("process_open_fds"), 3);
  EXPECT_GE(scrape.at("process_max_fds"), scrape.at("process_open_fds"));
  EXPECT_GE(scrape.at("process_cpu_seconds_total"), 0);
}

TEST(Metrics, any_json_can_be_shown) {
  const RouteStats route;
  for (const char* text :
       {"null", "[]", "{}", R"({"tunnels":[1],"routes":[{"provider":1}],"inbox":2})",
        R"({"inbox":{"lanes":[{"attempts":[]}],"events":{}},"egress":{"destinations":[3]}})",
        R"({"tunnels":[{"agents":[{"links":[1],"upstreams":[{}, 2]}]}],"callbacks":[]})"})
    EXPECT_EQ(scrape_of(boost::json::parse(text), route).at("rockdove_inbox_ok"), 0) << text;
}

TEST(Exposition, labels_are_escaped_and_made_utf8) {
  Exposition out;
  out.gauge("a", "Help.", 1, {{"b", "x\"y\\z\n\xff"}});
  EXPECT_EQ(out.str(), "# HELP a Help.\n# TYPE a gauge\na{b=\"x\\\"y\\\\z\\n\xEF\xBF\xBD\"} 1\n");
}

}  // namespace
}  // namespace rockdove::ops
