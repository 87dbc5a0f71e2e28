#include "egress/gate.hpp"

#include "support/run.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rockdove::egress {
namespace {

using test::run;

/// Port 9 of loopback: nobody listens there, and connecting fails at once.
constexpr const char* nobody = "127.0.0.1:9";

class GateTest : public testing::Test {
 protected:
  static DestinationOptions shop() {
    DestinationOptions options;
    options.name = "shop";
    options.url = net::parse_url("http://127.0.0.1:9/v1").value();
    options.networks = {net::Network::parse("127.0.0.0/8").value()};
    return options;
  }
  static Rule rule(std::string tunnel, std::vector<std::string_view> hosts,
                   std::vector<std::string> destinations = {}) {
    Rule made;
    made.tunnel = std::move(tunnel);
    for (const std::string_view each : hosts) made.hosts.push_back(HostPattern::parse(each).value());
    made.destinations = std::move(destinations);
    return made;
  }
  void open(std::vector<Rule> rules, DestinationOptions destination = shop()) {
    options_.rules = std::move(rules);
    options_.destinations = {std::move(destination)};
    const auto clock = [] {
      return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    };
    gate_ = std::make_unique<Gate>(io_.get_executor(), options_, clock);
  }
  /// The cause in the answer.
  std::string call(std::string method, std::string target, std::string tunnel = "bot") {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    const auto response =
        run(io_, gate_->handle({std::move(tunnel), "office", {}}, std::move(request))).value();
    const auto error = boost::json::parse(response.content).at("error");
    EXPECT_EQ(error.at("request_id").as_string().size(), 24U);
    return std::string(error.at("cause").as_string());
  }
  void TearDown() override {
    if (gate_) run(io_, gate_->close());
  }

  net::IoContext io_;
  Gate::Options options_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, a_destination_is_allowed_by_its_host_or_its_name) {
  open({rule("hosts", {nobody}), rule("names", {}, {"shop"})});
  EXPECT_EQ(call("GET", "/shop/a", "hosts"), "destination_refused")
      << "by the destination: the gate is passed";
  EXPECT_EQ(call("GET", "/shop/a", "names"), "destination_refused");
  EXPECT_EQ(call("GET", "/shop/a", "others"), "destination_denied");
}

TEST_F(GateTest, no_call_leaves_the_base_path_of_a_destination) {
  open({rule("bot", {nobody})});
  EXPECT_EQ(call("GET", "/shop/../admin"), "malformed");
  EXPECT_EQ(call("GET", "/shop/a/%2e%2e/%2E./admin"), "malformed");
  EXPECT_EQ(call("GET", "/shop/a..b/?c=/../d"), "destination_refused") << "passed on";
}

TEST_F(GateTest, one_that_lends_the_servers_credentials_is_not_allowed_by_its_host) {
  auto signed_shop = shop();
  signed_shop.lingxing = LingxingApp{"ak_test123456789", "secret", {}};
  open({rule("hosts", {nobody}), rule("names", {}, {"shop"})}, signed_shop);
  EXPECT_EQ(call("GET", "/shop/a", "hosts"), "destination_denied");
  EXPECT_NE(call("GET", "/shop/a", "names"), "destination_denied");
  EXPECT_EQ(call("GET", "http://127.0.0.1:9/a", "hosts"), "address_denied") << "without them it may";
}

TEST_F(GateTest, the_networks_of_a_destination_are_open_to_calls_by_its_name_only) {
  open({rule("bot", {nobody})});
  EXPECT_EQ(call("GET", "/shop/a"), "destination_refused");
  EXPECT_EQ(call("GET", "http://127.0.0.1:9/a"), "address_denied");
  EXPECT_EQ(call("CONNECT", nobody), "address_denied");
}

TEST_F(GateTest, rules_that_open_other_networks_share_no_connections) {
  auto inside = rule("inside", {nobody});
  inside.networks = {net::Network::parse("127.0.0.1").value()};
  open({inside, rule("outside", {nobody})});
  EXPECT_EQ(call("GET", "http://127.0.0.1:9/a", "inside"), "destination_refused");
  EXPECT_EQ(call("GET", "http://127.0.0.1:9/a", "outside"), "address_denied");
}

TEST_F(GateTest, tunnels_do_not_use_up_each_others_rate) {
  auto slow = rule("*", {nobody});
  slow.rate = 1;
  open({slow});
  EXPECT_EQ(call("CONNECT", nobody, "a"), "address_denied");
  EXPECT_EQ(call("CONNECT", nobody, "a"), "rate_limited");
  EXPECT_EQ(call("CONNECT", nobody, "b"), "address_denied");
}

TEST_F(GateTest, looks_once_whether_calls_are_under_way_when_there_is_no_time_to_wait) {
  open({});
  EXPECT_TRUE(run(io_, gate_->ledger().idle_for(net::Duration::zero())));
  http::Request request;
  auto under_way = std::make_unique<Call>(gate_->ledger(), Who{"bot", "office", {}}, request);
  EXPECT_FALSE(run(io_, gate_->ledger().idle_for(net::Duration::zero())));
  EXPECT_FALSE(run(io_, gate_->ledger().idle_for(std::chrono::milliseconds(-1))));
  EXPECT_EQ(gate_->ledger().running("bot"), 1U);
  EXPECT_EQ(gate_->ledger().running("other"), 0U);
  under_way.reset();
  EXPECT_TRUE(run(io_, gate_->ledger().idle_for(std::chrono::milliseconds(1))));
  EXPECT_EQ(gate_->ledger().running("bot"), 0U);
}

TEST_F(GateTest, a_reload_counts_for_the_next_call) {
  open({});
  EXPECT_EQ(call("CONNECT", nobody), "destination_denied");
  options_.rules = {rule("bot", {nobody})};
  gate_->set_options(options_);
  EXPECT_EQ(call("CONNECT", nobody), "address_denied");
  options_.destinations.front().ca_file = "/no/such/file";
  options_.destinations.front().url = net::parse_url("https://127.0.0.1:9").value();
  EXPECT_THROW(gate_->set_options(options_), std::exception);
  EXPECT_EQ(call("GET", "/shop/a"), "destination_refused") << "everything stays as it was";
}

TEST_F(GateTest, calls_are_counted_by_what_became_of_them) {
  open({rule("bot", {nobody})});
  call("GET", "/shop/a");
  call("GET", "/nobody/a");
  call("CONNECT", "shop.example:443");
  call("GET", "nonsense");
  const auto json = gate_->ledger().to_json(true);
  EXPECT_EQ(json.at("calls").to_number<int>(), 4);
  EXPECT_EQ(json.at("running").to_number<int>(), 0);
  EXPECT_EQ(boost::json::serialize(json.at("failures")),
            R"({"destination_denied":1,"destination_refused":1,"destination_unknown":1,"malformed":1})");
  const auto& allowed = json.at("destinations").as_array();
  ASSERT_EQ(allowed.size(), 1U) << "what is denied takes no memory";
  EXPECT_EQ(allowed[0].at("name").as_string(), nobody);
  EXPECT_EQ(boost::json::serialize(allowed[0].at("failures")), R"({"destination_refused":1})");
}

}  // namespace
}  // namespace rockdove::egress
