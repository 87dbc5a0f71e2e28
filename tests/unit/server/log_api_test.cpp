#include "server/log_api.hpp"

#include "net/log.hpp"
#include "support/bodies.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

namespace rockdove::server {
namespace {

struct LogApiTest : testing::Test {
  ~LogApiTest() override { log::init({}); }

  /// Status and body of the answer.
  std::string ask(std::string method, std::string body = {}) {
    auto request = test::request_of(std::move(method), "/api/v1/log");
    request.has_body = !body.empty();
    request.content = std::move(body);
    const auto answer = test::run(io, api.handle(std::move(request)));
    if (!answer) return std::string(error_name(answer.error()));
    return std::to_string(answer->status) + (answer->status == 200 ? " " + answer->content : "");
  }
  net::IoContext io;
  LogApi api;
};

TEST_F(LogApiTest, says_and_changes_the_levels) {
  EXPECT_EQ(ask("GET"), "200 {\"level\":\"info\",\"levels\":{}}\n");
  EXPECT_EQ(ask("PUT", R"({"level":"warn"})"), "200 {\"level\":\"warn\",\"levels\":{}}\n");
  EXPECT_EQ(ask("PUT", R"({"levels":{"link":"debug","inbox":"off"}})"),
            "200 {\"level\":\"warn\",\"levels\":{\"inbox\":\"off\",\"link\":\"debug\"}}\n");
  EXPECT_TRUE(log::enabled(log::Level::debug, "link"));
  EXPECT_FALSE(log::enabled(log::Level::info, "net"));
  EXPECT_EQ(ask("PUT", R"({"level":"info"})"),
            "200 {\"level\":\"info\",\"levels\":{\"inbox\":\"off\",\"link\":\"debug\"}}\n");
  EXPECT_EQ(ask("PUT", R"({"levels":{}})"), "200 {\"level\":\"info\",\"levels\":{}}\n");
  EXPECT_EQ(ask("GET"), "200 {\"level\":\"info\",\"levels\":{}}\n");
}

TEST_F(LogApiTest, changes_nothing_when_anything_is_wrong) {
  for (const char* body : {"", "[]", "null", "{", R"({"level":"loud"})", R"({"level":1})",
                           R"({"levels":"debug"})", R"({"level":"debug","levels":{"nowhere":"debug"}})",
                           R"({"level":"debug","levels":{"link":null}})", R"({"level":"debug","more":1})"})
    EXPECT_EQ(ask("PUT", body), "400") << body;
  EXPECT_EQ(ask("PUT", std::string(5000, ' ')), "body_too_large");
  EXPECT_EQ(ask("POST", R"({"level":"debug"})"), "405");
  EXPECT_EQ(ask("GET"), "200 {\"level\":\"info\",\"levels\":{}}\n");
}

}  // namespace
}  // namespace rockdove::server
