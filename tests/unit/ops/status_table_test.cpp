#include "ops/status_table.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace rockdove::ops {
namespace {

const boost::json::value sample = boost::json::parse(R"({
  "version":"0.1.0","uptime_s":93784.5,"service":"hooks",
  "tunnels":[{"name":"bot","running":2,"waiting":0,"agents":[
    {"name":"office","version":"0.1.0","address":"1.2.3.4","draining":false,
     "links":[{"index":0,"since_s":75,"last_byte_ms":120,"rtt_ms":12.34,"outstanding":1,
               "bytes_in":1536,"bytes_out":2}],
     "upstreams":[{"name":"default","url":"http://127.0.0.1:5000","up":false,
                   "detail":"connection refused"}]}]}],
  "routes":[{"name":"default","tunnel":"bot","requests":10,
    "responses":{"2xx":9,"3xx":0,"4xx":0,"5xx":1},"success_rate":0.9,
    "latency_ms":{"p50":1.2,"p90":2.0,"p99":3.0,"max":4.0},
    "bytes_in":1,"bytes_out":2,"errors":{"no_agent":1}}],
  "ingress":{"connections":3,"accepted":10,"refused":0}})");

TEST(StatusTable, shows_tunnels_links_and_upstreams) {
  EXPECT_EQ(status_table(sample),
            "hooks  rockdove 0.1.0  up 1d2h  callers 3\n"
            "\n"
            "TUNNEL  AGENTS  RUNNING  WAITING\n"
            "bot     1       2        0\n"
            "\n"
            "TUNNEL  AGENT   ADDRESS  STATE      LINK  AGE    LAST BYTE  RTT      STREAMS  IN       OUT\n"
            "bot     office  1.2.3.4  connected  0     1m15s  120 ms     12.3 ms  1        1.5 KiB  2 B\n"
            "\n"
            "TUNNEL  AGENT   UPSTREAM  URL                    STATE  DETAIL\n"
            "bot     office  default   http://127.0.0.1:5000  down   connection refused\n");
}

TEST(StatusTable, shows_routes) {
  EXPECT_EQ(stats_table(sample),
            "ROUTE    TUNNEL  REQUESTS  2XX  3XX  4XX  5XX  SUCCESS  P50     P90     P99     MAX     IN   "
            "OUT  ERRORS\n"
            "default  bot     10        9    0    0    1    90.00 %  1.2 ms  2.0 ms  3.0 ms  4.0 ms  1 B  2 "
            "B  no_agent 1\n"
            "\n"
            "Callers: 3 connected, 10 accepted, 0 refused\n");
}

TEST(StatusTable, shows_what_came_of_providers_requests) {
  const auto stats = boost::json::parse(R"({"routes":[{"name":"a"},{"name":"hook","provider":{
      "name":"feishu","accepted":7,"unchecked":0,"challenges":2,"unwanted":1,
      "refused":{"mismatch":2,"missing":1}}}]})");
  const std::string expected =
      "\n"
      "ROUTE  PROVIDER  ACCEPTED  UNCHECKED  CHALLENGES  UNWANTED  REFUSED\n"
      "hook   feishu    7         0          2           1         3 (mismatch 2, missing 1)\n";
  const std::string text = status_table(stats);
  EXPECT_EQ(text.substr(text.size() - expected.size()), expected) << text;
}

TEST(StatusTable, shows_how_routes_did_lately) {
  const auto stats = boost::json::parse(R"({"tunnels":[],"routes":[{"name":"old"},{"name":"hook",
    "requests":9,"success_rate":0.5,"latency_ms":{"p50":1,"p90":2,"p99":3},"windows":{
      "1m":{"requests":0,"success_rate":1,"latency_ms":{"p50":0,"p90":0,"p99":0}},
      "15m":{"requests":4,"success_rate":0.75,"latency_ms":{"p50":1.5,"p90":20,"p99":30.25}}}}]})");
  const std::string expected =
      "\n"
      "ROUTE  LAST    REQUESTS  SUCCESS   P50     P90      P99\n"
      "hook   1 min   0         100.00 %  0.0 ms  0.0 ms   0.0 ms\n"
      "       15 min  4         75.00 %   1.5 ms  20.0 ms  30.2 ms\n"
      "       start   9         50.00 %   1.0 ms  2.0 ms   3.0 ms\n";
  EXPECT_NE(status_table(stats).find(expected), std::string::npos) << status_table(stats);
  EXPECT_NE(stats_table(stats).find(expected), std::string::npos) << stats_table(stats);
}

TEST(StatusTable, says_what_to_do_when_there_is_nothing) {
  EXPECT_NE(status_table(boost::json::parse(R"({"tunnels":[]})")).find("rockdove token create"),
            std::string::npos);
  EXPECT_NE(status_table(boost::json::parse(R"({"tunnels":[{"name":"a","agents":[]}]})"))
                .find("No agent is connected"),
            std::string::npos);
}

TEST(StatusTable, any_json_can_be_shown) {
  for (const char* text :
       {"null", "[]", "1", "{}", R"({"tunnels":1,"routes":{}})", R"({"tunnels":[1,{}],"routes":[null,{}]})",
        R"({"tunnels":[{"agents":[1,{"links":[2],"upstreams":[3]}]}],"uptime_s":1e308})",
        R"({"inbox":{"events":[{"route":"a","status":"x","events":-1.5}],"lanes":[1],"backlogs":{}}})",
        R"({"routes":[{"errors":[],"bytes_in":1e300,"latency_ms":1}]})",
        R"({"routes":[{"windows":1},{"windows":{"1m":2,"15m":{"latency_ms":[]}}}]})",
        R"({"routes":[{"provider":1},{"provider":{"refused":[]}}]})",
        R"({"routes":[{"provider":{"refused":{"a":-1.5,"b":"c"}}}]})"}) {
    EXPECT_FALSE(status_table(boost::json::parse(text)).empty());
    EXPECT_FALSE(stats_table(boost::json::parse(text)).empty());
  }
}

TEST(StatusTable, control_bytes_from_an_agent_do_not_reach_the_terminal) {
  const auto stats = boost::json::parse("{\"tunnels\":[{\"name\":\"a\\u001b[2J\",\"agents\":[]}]}");
  EXPECT_EQ(status_table(stats).find('\x1b'), std::string::npos);
}

TEST(StatusTable, the_inbox_is_a_line_for_each_route_and_says_what_holds_its_events_up) {
  const auto stats = boost::json::parse(R"({"tunnels":[],"inbox":{"ok":false,"reason":"the disk is full",
    "events":[{"route":"feishu","status":"waiting","events":3},
              {"route":"feishu","status":"queued","events":4},
              {"route":"feishu","status":"dead","events":2},{"route":"github","status":"done","events":9}],
    "backlogs":[{"route":"feishu","oldest_s":75.5}],
    "lanes":[{"route":"feishu","paused":false,"breaker":"open"},{"route":"github","paused":true}]}})");
  const std::string table = status_table(stats);
  EXPECT_NE(table.find("INBOX   WAITING  OLDEST  DONE  DEAD  QUARANTINED  STATE\n"
                       "feishu  7        1m15s   0     2     0            waits for the upstream\n"
                       "github  0        -       9     0     0            paused\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("Events cannot be stored: the disk is full"), std::string::npos);
}

}  // namespace
}  // namespace rockdove::ops
