#include "egress/gate.hpp"

#include "support/bodies.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

namespace rockdove::egress {
namespace {

using test::Answer;
using test::run;

/// Signs in place of a real one: answers what it was asked for.
class Signer final : public http::Handler {
 public:
  explicit Signer(int& made) { ++made; }
  Awaitable<Answer> handle(http::Request request) override {
    const std::string host(request.fields.get("Host").value_or("-"));
    const bool has_secret = request.fields.contains("Proxy-Authorization");
    return http::ready(http::make_response(
        200, "text/plain",
        request.method + " " + host + " " + request.target + (has_secret ? " secret" : "")));
  }
};

class GateTest : public testing::Test {
 protected:
  static DestinationOptions shop(std::string_view url = "https://shop.example/v1") {
    DestinationOptions options;
    options.name = "shop";
    options.url = net::parse_url(url).value();
    return options;
  }
  static Rule rule(std::vector<HostPattern> hosts, std::vector<std::string> destinations) {
    return {"bot", std::move(hosts), std::move(destinations), {}, 0};
  }
  static Gate::Options options(std::vector<Rule> rules) {
    Gate::Options options;
    options.rules = std::move(rules);
    options.destinations = {shop()};
    return options;
  }
  void open(Gate::Options options) {
    gate_ = std::make_unique<Gate>(
        io_.get_executor(), std::move(options),
        [this](const DestinationOptions&, http::Handler&) { return std::make_unique<Signer>(made_); });
  }
  http::Response call(std::string method, std::string target) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.fields.add("Host", "127.0.0.1:5001");
    request.fields.add("Proxy-Authorization", "Basic x");
    return run(io_, gate_->handle({"bot", "office", {}}, std::move(request))).value();
  }
  void TearDown() override {
    if (gate_) run(io_, gate_->close());
  }

  net::IoContext io_;
  int made_ = 0;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, what_stands_before_a_destination_gets_the_request_as_the_destination_would) {
  open(options({rule({}, {"shop"})}));
  const auto response = call("POST", "/shop/orders?page=1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content, "POST shop.example /v1/orders?page=1");
}

TEST_F(GateTest, a_destination_with_credentials_is_not_allowed_by_its_host) {
  open(options({rule({HostPattern::parse("shop.example").value()}, {})}));
  EXPECT_EQ(call("GET", "/shop/orders").status, 403);
  EXPECT_EQ(gate_->ledger().running(), 0U);
}

TEST_F(GateTest, a_reload_keeps_what_stands_before_a_destination_that_stays) {
  open(options({rule({}, {"shop"})}));
  EXPECT_EQ(made_, 1);
  auto same = options({rule({}, {"shop"})});
  same.rules.front().rate = 100;
  gate_->set_options(same);
  EXPECT_EQ(call("GET", "/shop/a").status, 200);
  EXPECT_EQ(made_, 1) << "it may hold tokens that took a call to get";
  auto other = same;
  other.destinations = {shop("https://other.example")};
  gate_->set_options(other);
  EXPECT_EQ(call("GET", "/shop/a").content, "GET other.example /a");
  EXPECT_EQ(made_, 2);
}

TEST_F(GateTest, counts_calls_by_what_became_of_them) {
  open(options({rule({}, {"shop"})}));
  call("GET", "/shop/a");
  call("GET", "/nobody/a");
  call("CONNECT", "shop.example:443");
  call("GET", "nonsense");
  const auto json = gate_->ledger().to_json(true);
  EXPECT_EQ(
      boost::json::serialize(json),
      R"({"calls":4,"running":0,"waiting":0,"bytes_out":0,"bytes_in":22,"failures":{"destination_denied":1,)"
      R"("destination_unknown":1,"malformed":1},"destinations":[{"calls":1,"running":0,"waiting":0,)"
      R"("bytes_out":0,"bytes_in":22,"failures":{},"name":"shop.example:443"}]})");
}

TEST_F(GateTest, more_calls_than_there_may_be_are_turned_away) {
  auto few = options({rule({}, {"shop"})});
  few.calls = 1;
  open(few);
  EXPECT_EQ(call("GET", "/shop/a").status, 200);
  EXPECT_EQ(call("GET", "/shop/a").status, 200) << "the first one has ended";
}

}  // namespace
}  // namespace rockdove::egress
