#include "http/error_response.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <string>

namespace rockdove::http {
namespace {

TEST(status_of, maps_each_error_to_one_status) {
  const struct {
    Error error;
    int status;
  } cases[] = {
      {Error::malformed, 400},
      {Error::truncated, 400},
      {Error::no_route, 404},
      {Error::timed_out, 408},
      {Error::body_timed_out, 408},
      {Error::body_too_large, 413},
      {Error::target_too_long, 414},
      {Error::header_too_large, 431},
      {Error::not_implemented, 501},
      {Error::link_lost, 502},
      {Error::stream_reset, 502},
      {Error::protocol, 502},
      {Error::upstream_refused, 502},
      {Error::upstream_reset, 502},
      {Error::upstream_malformed, 502},
      {Error::no_link, 503},
      {Error::destination_unknown, 404},
      {Error::destination_denied, 403},
      {Error::address_denied, 403},
      {Error::rate_limited, 429},
      {Error::destination_refused, 502},
      {Error::destination_untrusted, 502},
      {Error::destination_timeout, 504},
      {Error::upstream_unknown, 502},
      {Error::no_agent, 503},
      {Error::queue_full, 503},
      {Error::draining, 503},
      {Error::unavailable, 503},
      {Error::stream_refused, 503},
      {Error::upstream_timeout, 504},
      {Error::version_not_supported, 505},
  };
  for (const auto& each : cases) EXPECT_EQ(status_of(each.error), each.status) << error_name(each.error);
  EXPECT_EQ(status_of(net::asio::error::connection_reset), 502);
}

TEST(error_response, names_hop_cause_and_request) {
  const struct {
    boost::system::error_code error;
    const char *hop, *cause;
  } cases[] = {
      {Error::no_agent, "edge", "no_agent"},
      {Error::link_lost, "link", "link_lost"},
      {Error::upstream_refused, "upstream", "upstream_refused"},
      {net::asio::error::connection_reset, "link", "system_error"},
  };
  for (const auto& each : cases) {
    const Response response = error_response(each.error, "id-7");
    EXPECT_EQ(response.status, status_of(each.error));
    EXPECT_EQ(response.fields.get("content-type"), "application/json");
    EXPECT_EQ(response.fields.get("content-length"), std::to_string(response.content.size()));
    const auto body = boost::json::parse(response.content);
    const auto& error = body.at("error").as_object();
    EXPECT_EQ(error.size(), 4U);
    EXPECT_EQ(error.at("hop").as_string(), each.hop);
    EXPECT_EQ(error.at("cause").as_string(), each.cause);
    EXPECT_EQ(error.at("request_id").as_string(), "id-7");
    EXPECT_FALSE(error.at("message").as_string().empty());
  }
}

TEST(error_response, escapes_what_it_quotes) {
  const std::string id = "a\"b\\c\n\x01<";
  const Response response = error_response(Error::no_route, id);
  const auto body = boost::json::parse(response.content);
  EXPECT_EQ(std::string(body.at("error").at("request_id").as_string()), id);
}

TEST(error_response, asks_to_come_back_only_where_that_may_help) {
  for (int value = 1; value <= static_cast<int>(Error::protocol); ++value) {
    const auto error = static_cast<Error>(value);
    const Response response = error_response(error, "x");
    EXPECT_EQ(response.fields.contains("retry-after"), response.status == 503 || response.status == 429)
        << error_name(error);
  }
}

}  // namespace
}  // namespace rockdove::http
