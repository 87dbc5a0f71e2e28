#include "server/admin.hpp"

#include "server/admin_token.hpp"
#include "support/bodies.hpp"
#include "support/run.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <boost/json/parse.hpp>

#include <cstdlib>
#include <fstream>
#include <set>

namespace rockdove::server {
namespace {

const std::string token(43, 't');

struct AdminTest : testing::Test {
  net::IoContext io;
  http::Request seen;
  test::FunctionHandler api{[this](http::Request request) -> net::Awaitable<test::Answer> {
    seen = std::move(request);
    co_return http::make_response(200, "text/plain", "api");
  }};
  Admin admin{[](std::string_view target) -> std::optional<http::Response> {
                if (target != "/health") return std::nullopt;
                return http::make_response(200, "text/plain", "well");
              },
              token, &api};

  Result<http::Response> ask(std::string method, std::string target,
                             const std::vector<std::string>& authorizations = {}) {
    auto request = test::request_of(std::move(method), std::move(target));
    request.context.request_id = "req-1";
    for (const auto& each : authorizations) request.fields.add("Authorization", each);
    return test::run(io, admin.handle(std::move(request)));
  }
  std::string outcome(const Result<http::Response>& answer) {
    if (!answer) return std::string(error_name(answer.error()));
    return std::to_string(answer->status) + (answer->status == 200 ? " " + answer->content : "");
  }
};

TEST_F(AdminTest, pages_need_no_token) {
  EXPECT_EQ(outcome(ask("GET", "/health")), "200 well");
  EXPECT_EQ(outcome(ask("HEAD", "/health")), "200 well");
  EXPECT_EQ(outcome(ask("POST", "/health")), "not_found");
  EXPECT_EQ(outcome(ask("GET", "/health?x")), "not_found");
  EXPECT_EQ(outcome(ask("GET", "/")), "not_found");
  EXPECT_EQ(outcome(ask("GET", "/api")), "not_found");
  EXPECT_EQ(api.calls, 0U);
}

TEST_F(AdminTest, the_api_opens_to_the_token_alone) {
  const struct {
    std::vector<std::string> authorizations;
    bool opens;
  } cases[] = {
      {{"Bearer " + token}, true},
      {{"bearer  " + token}, true},
      {{}, false},
      {{""}, false},
      {{token}, false},
      {{"Bearer"}, false},
      {{"Bearer "}, false},
      {{"Bearer" + token}, false},
      {{"Bearer\t" + token}, false},
      {{"Basic " + token}, false},
      {{"Bearer " + token + "t"}, false},
      {{"Bearer " + token.substr(1)}, false},
      {{"Bearer " + std::string(43, 'T')}, false},
      {{"Bearer " + token + " "}, false},
      {{"Bearer x, Bearer " + token}, false},
      {{"Bearer " + token, "Bearer " + token}, false},
  };
  std::uint64_t refused = 0;
  for (const auto& each : cases) {
    const auto answer = ask("POST", "/api/v1/events", each.authorizations);
    EXPECT_EQ(outcome(answer), each.opens ? "200 api" : "401")
        << (each.authorizations.empty() ? "nothing" : each.authorizations[0]);
    refused += !each.opens;
    EXPECT_EQ(admin.counters().unauthorized, refused);
  }
  EXPECT_EQ(api.calls, std::size(cases) - refused);
  EXPECT_EQ(admin.counters().requests, api.calls);
}

TEST_F(AdminTest, what_passes_keeps_everything_but_the_token) {
  ask("DELETE", "/api/v9/anything?x=1", {"Bearer " + token});
  EXPECT_EQ(seen.method, "DELETE");
  EXPECT_EQ(seen.target, "/api/v9/anything?x=1");
  EXPECT_EQ(seen.context.request_id, "req-1");
  EXPECT_FALSE(seen.fields.contains("authorization"));
}

TEST_F(AdminTest, a_refusal_says_what_to_do_and_no_secret) {
  const auto answer = ask("GET", "/api/v1/events", {"Bearer guessed"});
  EXPECT_EQ(answer->fields.get("www-authenticate"), "Bearer realm=\"rockdove\"");
  const auto body = boost::json::parse(answer->content);
  EXPECT_EQ(body.at("error").at("cause").as_string(), "unauthorized");
  EXPECT_EQ(body.at("error").at("request_id").as_string(), "req-1");
  EXPECT_NE(answer->content.find("admin-token"), std::string::npos);
  EXPECT_EQ(answer->content.find(token), std::string::npos);
}

TEST_F(AdminTest, without_an_api_or_a_token_nothing_opens) {
  Admin closed([](std::string_view) { return std::nullopt; }, token, nullptr);
  Admin no_token([](std::string_view) { return std::nullopt; }, "", &api);
  for (const std::string& value : {"Bearer " + token, std::string("Bearer ")}) {
    auto request = test::request_of("GET", "/api/v1/events");
    request.fields.add("Authorization", value);
    const auto answer = test::run(io, closed.handle(std::move(request)));
    EXPECT_EQ(outcome(answer), value.size() > 10 ? "not_found" : "401");
    auto other = test::request_of("GET", "/api/v1/events");
    other.fields.add("Authorization", value);
    EXPECT_EQ(outcome(test::run(io, no_token.handle(std::move(other)))), "401");
  }
  EXPECT_EQ(api.calls, 0U);
}

struct AdminTokenTest : testing::Test {
  test::ScratchDirectory scratch;
  const std::filesystem::path& directory = scratch.path();

  void write(const std::string& content) { std::ofstream(admin_token_file(directory)) << content; }
  std::string error_of_reading() {
    try {
      read_admin_token(directory);
    } catch (const std::runtime_error& error) { return error.what(); }
    return "";
  }
};

TEST_F(AdminTokenTest, is_made_once_and_private) {
  const auto data = directory / "a" / "b";
  const std::string made = ensure_admin_token(data);
  EXPECT_EQ(made.size(), 43U);
  EXPECT_EQ(ensure_admin_token(data), made);
  EXPECT_EQ(read_admin_token(data), made);
  struct stat found {};
  ASSERT_EQ(::stat(admin_token_file(data).c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat(data.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0700U);
  EXPECT_NE(ensure_admin_token(directory / "other"), made);
}

TEST_F(AdminTokenTest, an_operator_may_bring_one) {
  const std::string own = "operator-made.token_with/enough+letters=";
  write(own + "\r\n");
  EXPECT_EQ(ensure_admin_token(directory), own);
}

TEST_F(AdminTokenTest, one_that_is_no_good_is_refused_and_never_replaced) {
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string(31, 'x'), std::string(513, 'x'),
        std::string(32, 'x') + " y", std::string(32, 'x') + "\ny", std::string(40, '\0')}) {
    write(content);
    EXPECT_NE(error_of_reading().find("admin-token"), std::string::npos) << content;
    EXPECT_THROW(ensure_admin_token(directory), std::runtime_error);
    EXPECT_EQ(std::filesystem::file_size(admin_token_file(directory)), content.size());
  }
}

TEST_F(AdminTokenTest, reading_makes_none) {
  EXPECT_NE(error_of_reading().find("cannot read"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(admin_token_file(directory)));
}

}  // namespace
}  // namespace rockdove::server
