#include "http/wire_body.hpp"

#include "net/task_group.hpp"
#include "support/bodies.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace rockdove::http {
namespace {

using test::run;
using test::run_for;
using test::text_of;
using namespace std::chrono_literals;

class OnAConnection : public testing::Test {
 protected:
  OnAConnection() {
    auto [left, right] = test::socket_pair(io_);
    wire_ = std::make_shared<Wire>(net::Stream(std::move(left)));
    peer_.emplace(std::move(right));
  }
  ~OnAConnection() override {
    wire_->close();
    run_for(io_, 0ms);
  }
  void peer_sends(std::string bytes) { EXPECT_FALSE(run(io_, test::write_bytes(*peer_, std::move(bytes)))); }
  WireBody body(WireBody::Options options) {
    options.on_end = [this](bool whole, std::uint64_t size) { end_ = {whole, size}; };
    return WireBody(wire_, std::move(options));
  }

  net::IoContext io_;
  std::shared_ptr<Wire> wire_;
  std::optional<net::Stream> peer_;
  std::optional<std::pair<bool, std::uint64_t>> end_;  // what on_end was told
};

using Ending = std::pair<bool, std::uint64_t>;

TEST(wire_body, ends_where_its_framing_says) {
  const struct {
    const char* what;
    Framing framing;
    std::uint64_t length;
    const char* sent;
    bool closes;
    const char* text;
    Ending end;
    const char* left;
  } cases[] = {
      {"none", Framing::none, 0, "GET /", false, "", {true, 0}, "GET /"},
      {"length", Framing::length, 5, "helloGET /", false, "hello", {true, 5}, "GET /"},
      {"length zero", Framing::length, 0, "GET /", false, "", {true, 0}, "GET /"},
      {"length, cut off", Framing::length, 6, "hello", true, "broken: truncated", {false, 5}, ""},
      {"chunked",
       Framing::chunked,
       0,
       "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nGET /",
       false,
       "hello",
       {true, 5},
       "GET /"},
      {"chunked, empty", Framing::chunked, 0, "0\r\n\r\nGET /", false, "", {true, 0}, "GET /"},
      {"chunked, cut off", Framing::chunked, 0, "5\r\nhel", true, "broken: truncated", {false, 3}, ""},
      {"chunked, no last chunk",
       Framing::chunked,
       0,
       "2\r\nhe\r\n",
       true,
       "broken: truncated",
       {false, 2},
       ""},
      {"until the end", Framing::until_close, 0, "hello", true, "hello", {true, 5}, ""},
      {"until the end, empty", Framing::until_close, 0, "", true, "", {true, 0}, ""},
  };
  for (const auto& each : cases) {
    net::IoContext io;
    auto [left, right] = test::socket_pair(io);
    const auto wire = std::make_shared<Wire>(net::Stream(std::move(left)));
    net::Stream peer(std::move(right));
    EXPECT_FALSE(run(io, test::write_bytes(peer, each.sent)));
    if (each.closes) run(io, peer.shutdown_write());
    std::optional<Ending> end;
    {
      WireBody::Options options;
      options.framing = each.framing;
      options.length = each.length;
      options.on_end = [&](bool whole, std::uint64_t size) { end = {whole, size}; };
      WireBody body(wire, std::move(options));
      EXPECT_EQ(run(io, text_of(body)), each.text) << each.what;
      EXPECT_EQ(end, each.end) << each.what;
    }
    if (wire->buffered().empty() && *each.left) (void)run(io, wire->more(1s));
    EXPECT_EQ(wire->buffered(), each.left) << each.what;
    wire->close();
    run_for(io, 0ms);
  }
}

TEST_F(OnAConnection, joins_a_body_that_comes_byte_by_byte) {
  WireBody::Options options;
  options.framing = Framing::chunked;
  WireBody reader = body(std::move(options));
  net::TaskGroup group(io_.get_executor(), net::abort_on_error);
  const auto drip = [](net::Stream& peer, std::string bytes) -> Awaitable<void> {
    for (const char byte : bytes) {
      std::string one(1, byte);
      auto failed = co_await test::write_bytes(peer, one);
      EXPECT_FALSE(failed);
      co_await net::asio::post(net::asio::use_awaitable_t<net::Executor>());
    }
  };
  group.spawn(drip(*peer_, "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n"));
  EXPECT_EQ(run(io_, text_of(reader)), "abcde");
  EXPECT_EQ(reader.trailers().get("x-sum"), "7");
  run(io_, group.join());
}

TEST_F(OnAConnection, refuses_a_chunked_body_that_grows_too_large) {
  WireBody::Options options;
  options.framing = Framing::chunked;
  options.length_max = 4;
  WireBody reader = body(std::move(options));
  peer_sends("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  EXPECT_EQ(run(io_, text_of(reader)), "broken: body_too_large");
  ASSERT_TRUE(end_);
  EXPECT_FALSE(end_->first);
}

TEST_F(OnAConnection, calls_too_long_a_silence_by_the_name_it_was_given) {
  WireBody::Options options;
  options.framing = Framing::length;
  options.length = 5;
  options.idle = 30ms;
  options.idle_error = Error::body_timed_out;
  WireBody reader = body(std::move(options));
  peer_sends("he");
  EXPECT_EQ(run(io_, text_of(reader)), "broken: body_timed_out");
}

TEST_F(OnAConnection, says_that_a_body_was_dropped) {
  {
    WireBody::Options options;
    options.framing = Framing::length;
    options.length = 5;
    WireBody reader = body(std::move(options));
    peer_sends("he");
    const auto piece = run(io_, reader.read());
    ASSERT_TRUE(piece);
    EXPECT_EQ(*piece, "he");
    EXPECT_FALSE(end_);
  }
  EXPECT_EQ(end_, Ending(false, 2));
  EXPECT_TRUE(wire_->buffered().empty()) << "what has been read is not the next message's";
}

TEST_F(OnAConnection, tells_before_it_waits_for_the_first_time) {
  int waits = 0;
  WireBody::Options options;
  options.framing = Framing::length;
  options.length = 2;
  options.on_first_wait = [&] {
    ++waits;
    net::asio::write(peer_->tcp(), net::asio::buffer("ok", 2));
  };
  WireBody reader = body(std::move(options));
  EXPECT_EQ(waits, 0);
  EXPECT_EQ(run(io_, text_of(reader)), "ok");
  EXPECT_EQ(waits, 1);
}

TEST_F(OnAConnection, writes_a_body_in_chunks_or_raw) {
  for (const bool chunked : {true, false}) {
    const auto feed = std::make_shared<test::Feed>(io_);
    feed->add("hello");
    feed->add(std::string(17, 'x'));
    feed->trailers.add("x-check-sum", "7");
    feed->end();
    test::FeedBody source(feed);
    std::uint64_t sent = 0;
    EXPECT_TRUE(run(io_, write_body(*wire_, source, chunked, 1s, sent)));
    EXPECT_EQ(sent, 22U);
    const std::string expected =
        chunked ? "5\r\nhello\r\n11\r\n" + std::string(17, 'x') + "\r\n0\r\nX-Check-Sum: 7\r\n\r\n"
                : "hello" + std::string(17, 'x');
    EXPECT_EQ(run(io_, test::read_bytes(*peer_, expected.size())), expected);
  }
}

TEST_F(OnAConnection, writes_no_last_chunk_behind_a_body_that_broke) {
  const auto feed = std::make_shared<test::Feed>(io_);
  feed->add("hello");
  feed->end(Error::upstream_reset);
  test::FeedBody source(feed);
  std::uint64_t sent = 0;
  const auto written = run(io_, write_body(*wire_, source, true, 1s, sent));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(), Error::upstream_reset);
  wire_->close();
  EXPECT_EQ(run(io_, test::read_bytes(*peer_, 1000)), "5\r\nhello\r\n");
}

TEST(append_fields, writes_names_in_usual_case_and_values_as_they_are) {
  Fields fields;
  fields.add("content-type", "text/plain");
  fields.add("x-AB", " v ");
  fields.add("etag", "");
  std::string out = "> ";
  append_fields(out, fields);
  EXPECT_EQ(out, "> Content-Type: text/plain\r\nX-AB:  v \r\nEtag: \r\n");
}

}  // namespace
}  // namespace rockdove::http
