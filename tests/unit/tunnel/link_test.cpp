#include "tunnel/link.hpp"

#include "unit/tunnel/link_pair.hpp"

#include <algorithm>

namespace rockdove::tunnel {
namespace {

TEST_F(LinkPair, carries_requests_and_responses) {
  start();
  EXPECT_EQ(run(io_, summary_of(asking_.link->handle(request_of("GET", "/a?b")))), "200 GET/a?b");
  const std::string large(300'000, 'x');
  EXPECT_EQ(run(io_, summary_of(asking_.link->handle(request_of("POST", "/", large)))), "200 POST/" + large);
  EXPECT_EQ(asking_.link->open_streams(), 0U);
  EXPECT_GT(asking_.link->stats().bytes_out, large.size());
  EXPECT_GT(asking_.link->stats().bytes_in, large.size());
}

TEST_F(LinkPair, runs_many_exchanges_side_by_side) {
  start();
  const auto done = std::make_shared<std::vector<std::string>>();
  std::vector<std::string> expected;
  for (int i = 100; i < 150; ++i) {
    expected.push_back("200 GET/" + std::to_string(i));
    group_.spawn(note_summary(ask(*asking_.link, request_of("GET", "/" + std::to_string(i))), done));
  }
  ASSERT_TRUE(run_until(io_, [&] { return done->size() == expected.size(); }));
  std::sort(done->begin(), done->end());
  EXPECT_EQ(*done, expected);
}

TEST_F(LinkPair, says_which_error_the_other_end_met) {
  start();
  for (const Error error : {Error::upstream_refused, Error::upstream_timeout, Error::upstream_unknown,
                            Error::upstream_malformed, Error::draining}) {
    upstream_.function = [error](http::Request) { return http::ready(error); };
    const Answer answer = call(request_of("GET", "/"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error(), error);
  }
}

TEST_F(LinkPair, passes_interim_responses_and_trailers_on) {
  const auto feed = std::make_shared<Feed>(io_);
  feed->trailers.add("x-sum", "42");
  feed->add("body");
  feed->end();
  upstream_.function = [feed](http::Request request) {
    http::Fields hints;
    hints.add("link", "</a>");
    request.on_interim(103, hints);
    http::Response response;
    response.has_body = true;
    response.body = std::make_unique<FeedBody>(feed);
    return http::ready(std::move(response));
  };
  start();
  std::vector<int> interim;
  http::Request request = request_of("GET", "/");
  request.on_interim = [&](int status, const http::Fields& fields) {
    interim.push_back(status);
    EXPECT_EQ(fields.get("link"), "</a>");
  };
  Answer answer = call(std::move(request));
  ASSERT_TRUE(answer && answer->body);
  EXPECT_EQ(interim, std::vector<int>{103});
  EXPECT_EQ(run(io_, text_of(*answer->body)), "body");
  EXPECT_EQ(answer->body->trailers().get("x-sum"), "42");
}

Link::Options with_window(std::uint32_t bytes) {
  Link::Options options;
  options.h2.stream_window = options.h2.stream_window_max = bytes;
  return options;
}

TEST_F(LinkPair, lets_a_slow_reader_hold_the_answer_up) {
  const auto feed = std::make_shared<Feed>(io_);
  feed->repeated.assign(10'000, 'r');
  upstream_.function = [feed](http::Request) {
    http::Response response;
    response.has_body = true;
    response.body = std::make_unique<FeedBody>(feed);
    return http::ready(std::move(response));
  };
  start(with_window(64 * 1024));
  Answer answer = call(request_of("GET", "/"));
  ASSERT_TRUE(answer && answer->body);
  run_for(io_, 50ms);
  const std::size_t at_first = feed->taken;
  EXPECT_LE(at_first, 64 * 1024 + 2 * feed->repeated.size());
  std::size_t got = 0;
  while (got < 1'000'000) {
    const auto piece = run(io_, answer->body->read());
    ASSERT_TRUE(piece);
    got += piece->size();
    ASSERT_LE(feed->taken, got + 2 * 64 * 1024 + 2 * feed->repeated.size());
  }
  EXPECT_FALSE(feed->dropped);
  answer->body.reset();
  EXPECT_TRUE(run_until(io_, [&] { return feed->dropped; })) << "nobody reads the answer any more";
}

TEST_F(LinkPair, lets_a_slow_upstream_hold_the_caller_up) {
  const auto inside = std::make_shared<http::Request>();
  net::Event hold(io_.get_executor());
  const auto wait = [](std::shared_ptr<http::Request> keep, http::Request request,
                       net::Event& until) -> Awaitable<Answer> {
    *keep = std::move(request);
    co_await until.wait();
    std::string rest = co_await text_of(*keep->body);
    keep->body.reset();
    co_return http::make_response(200, "", std::to_string(rest.size()));
  };
  upstream_.function = [&](http::Request request) { return wait(inside, std::move(request), hold); };
  start({}, with_window(64 * 1024));
  const auto feed = std::make_shared<Feed>(io_);
  feed->repeated.assign(10'000, 'r');
  http::Request request = request_of("POST", "/");
  request.has_body = true;
  request.body = std::make_unique<FeedBody>(feed);
  const auto done = std::make_shared<std::vector<std::string>>();
  group_.spawn(note_summary(ask(*asking_.link, std::move(request)), done));
  run_for(io_, 50ms);
  ASSERT_TRUE(inside->body);
  EXPECT_LE(feed->taken, 64 * 1024 + 2 * feed->repeated.size());
  feed->repeated.clear();
  feed->end();
  hold.notify();
  ASSERT_TRUE(run_until(io_, [&] { return !done->empty(); }));
  EXPECT_EQ(done->front(), "200 " + std::to_string(feed->taken));
}

TEST_F(LinkPair, ends_the_call_to_the_upstream_when_the_asking_side_gives_up) {
  const auto gone = std::make_shared<bool>(false);
  upstream_.function = [&](http::Request) { return hang(gone, io_.get_executor()); };
  start();
  const auto done = std::make_shared<std::vector<std::string>>();
  auto task = group_.spawn(note_summary(ask(*asking_.link, request_of("GET", "/")), done));
  ASSERT_TRUE(run_until(io_, [&] { return upstream_.calls == 1; }));
  EXPECT_FALSE(*gone);
  test::on_loop(io_, [&] { task.cancel(); });
  EXPECT_TRUE(run_until(io_, [&] { return *gone; }));
  EXPECT_TRUE(run_until(io_, [&] { return asking_.link->open_streams() == 0; }));
  EXPECT_TRUE(done->empty());
}

TEST_F(LinkPair, waits_for_an_answer_only_so_long) {
  const auto gone = std::make_shared<bool>(false);
  upstream_.function = [&](http::Request) { return hang(gone, io_.get_executor()); };
  start();
  http::Request request = request_of("GET", "/");
  request.context.first_byte_timeout = 40ms;
  const Answer answer = call(std::move(request));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), Error::upstream_timeout);
  EXPECT_TRUE(run_until(io_, [&] { return *gone; }));
}

}  // namespace
}  // namespace rockdove::tunnel
