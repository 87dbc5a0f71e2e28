#include "http/message.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace rockdove::http {
namespace {

/// A body of given pieces; after them the end, or an error.
class PiecesBody : public Body {
 public:
  PiecesBody(std::vector<std::string> pieces, std::optional<Error> failure)
      : pieces_(std::move(pieces)), failure_(failure) {}

  Awaitable<Result<std::string_view>> read() override {
    if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
    if (failure_) co_return *failure_;
    co_return std::string_view();
  }

 private:
  std::vector<std::string> pieces_;
  std::optional<Error> failure_;
  std::size_t next_ = 0;
};

template <class Message>
Message message_of(std::string content, std::vector<std::string> pieces, std::optional<Error> failure = {}) {
  Message message;
  message.has_body = true;
  message.content = std::move(content);
  message.body = std::make_unique<PiecesBody>(std::move(pieces), failure);
  return message;
}

/// Runs read_all() to its end and names what came of it.
template <class Message>
std::string outcome_of_read_all(Message& message, std::size_t limit) {
  net::IoContext io;
  std::string outcome = "not finished";
  net::asio::co_spawn(io, read_all(message, limit), [&](std::exception_ptr thrown, Result<void> result) {
    if (thrown) outcome = "threw";
    else outcome = result ? "ok" : std::string(error_name(result.error()));
  });
  io.run_for(std::chrono::seconds(5));
  return outcome;
}

TEST(read_all, joins_what_is_here_and_what_comes) {
  Request request = message_of<Request>("a", {"bc", "d"});
  EXPECT_EQ(outcome_of_read_all(request, 4), "ok");
  EXPECT_EQ(request.content, "abcd");
  EXPECT_EQ(request.body, nullptr);
  EXPECT_TRUE(request.has_body);

  Response response = message_of<Response>("", {"xy"});
  EXPECT_EQ(outcome_of_read_all(response, 100), "ok");
  EXPECT_EQ(response.content, "xy");
  EXPECT_EQ(response.body, nullptr);
}

TEST(read_all, is_content_with_no_body_and_with_an_empty_one) {
  Request none;
  EXPECT_EQ(outcome_of_read_all(none, 0), "ok");
  EXPECT_EQ(none.content, "");
  Request empty = message_of<Request>("", {});
  EXPECT_EQ(outcome_of_read_all(empty, 0), "ok");
  EXPECT_EQ(empty.content, "");
}

TEST(read_all, keeps_its_limit) {
  Request content;
  content.content = "abcde";
  EXPECT_EQ(outcome_of_read_all(content, 4), "body_too_large");
  Request pieces = message_of<Request>("ab", {"cd", "e"});
  EXPECT_EQ(outcome_of_read_all(pieces, 4), "body_too_large");
  EXPECT_LE(pieces.content.size(), 4u);
  Response response = message_of<Response>("", {"abcde"});
  EXPECT_EQ(outcome_of_read_all(response, 4), "body_too_large");
}

TEST(read_all, passes_the_error_of_the_body_on) {
  Response response = message_of<Response>("", {"ab"}, Error::truncated);
  EXPECT_EQ(outcome_of_read_all(response, 100), "truncated");
}

TEST(body, has_no_trailers_by_default) {
  const PiecesBody body({}, {});
  EXPECT_TRUE(body.trailers().empty());
  EXPECT_EQ(&body.trailers(), &body.trailers());
}

TEST(is_bodiless, follows_method_and_status) {
  for (const int status : {100, 101, 103, 199, 204, 304}) EXPECT_TRUE(is_bodiless("GET", status)) << status;
  for (const int status : {200, 201, 203, 205, 206, 301, 303, 305, 400, 404, 500, 599})
    EXPECT_FALSE(is_bodiless("POST", status)) << status;
  EXPECT_TRUE(is_bodiless("HEAD", 200));
  EXPECT_FALSE(is_bodiless("head", 200));  // methods are case-sensitive
}

TEST(reason_phrase, knows_the_registry) {
  EXPECT_EQ(reason_phrase(101), "Switching Protocols");
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(503), "Service Unavailable");
  for (const int status : {0, 99, 299, 306, 418, 600, -1}) EXPECT_EQ(reason_phrase(status), "") << status;
}

TEST(make_response, is_complete) {
  const Response response = make_response(503, "application/json", "{\"a\":1}");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.fields.get("Content-Type"), "application/json");
  EXPECT_EQ(response.fields.get("Content-Length"), "7");
  EXPECT_EQ(response.fields.size(), 2u);
  EXPECT_TRUE(response.has_body);
  EXPECT_EQ(response.content, "{\"a\":1}");
  EXPECT_EQ(response.body, nullptr);
  EXPECT_FALSE(response.switched);
  EXPECT_EQ(make_response(200, "text/plain", "").fields.get("Content-Length"), "0");
}

}  // namespace
}  // namespace rockdove::http
