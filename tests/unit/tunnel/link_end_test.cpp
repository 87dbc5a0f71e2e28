// How links and what runs on them end: loss, draining, goodbyes, silence.
#include "unit/tunnel/link_pair.hpp"

namespace rockdove::tunnel {
namespace {

TEST_F(LinkPair, tells_every_waiting_call_that_the_link_is_lost) {
  const auto gone = std::make_shared<bool>(false);
  upstream_.function = [&](http::Request) { return hang(gone, io_.get_executor()); };
  start();
  const auto done = std::make_shared<std::vector<std::string>>();
  for (int i = 0; i < 5; ++i) group_.spawn(note_summary(ask(*asking_.link, request_of("GET", "/")), done));
  ASSERT_TRUE(run_until(io_, [&] { return upstream_.calls == 5; }));
  test::on_loop(io_, [&] { answering_.link->abort(); });
  ASSERT_TRUE(run_until(io_, [&] { return done->size() == 5; }));
  EXPECT_EQ(*done, std::vector<std::string>(5, "link_lost"));
  ASSERT_TRUE(run_until(io_, [&] { return asking_.has_ended() && answering_.has_ended(); }));
  EXPECT_EQ(**answering_.end, Error::cancelled);
  EXPECT_TRUE(**asking_.end);
  EXPECT_TRUE(*gone) << "the agent's side of the exchange outlived its link";
}

TEST_F(LinkPair, a_request_that_has_not_left_when_the_link_ends_may_be_sent_elsewhere) {
  start();
  const auto done = std::make_shared<std::vector<std::string>>();
  http::Request request = request_of("GET", "/");
  group_.spawn(note_summary(asking_.link->call(request), done));
  ASSERT_TRUE(run_until(io_, [&] { return asking_.link->open_streams() == 1; }));
  asking_.link->abort();  // before the loop comes to writing
  ASSERT_TRUE(run_until(io_, [&] { return done->size() == 1; }));
  EXPECT_EQ(done->front(), "stream_refused");
  EXPECT_EQ(upstream_.calls, 0);
}

TEST_F(LinkPair, breaks_an_answer_that_is_still_coming_when_the_link_is_lost) {
  const auto feed = std::make_shared<Feed>(io_);
  feed->add("half");
  upstream_.function = [feed](http::Request) {
    http::Response response;
    response.has_body = true;
    response.body = std::make_unique<FeedBody>(feed);
    return http::ready(std::move(response));
  };
  start();
  Answer answer = call(request_of("GET", "/"));
  ASSERT_TRUE(answer && answer->body);
  const auto piece = run(io_, answer->body->read());
  ASSERT_TRUE(piece);
  EXPECT_EQ(*piece, "half");
  test::on_loop(io_, [&] { answering_.link->abort(); });
  EXPECT_EQ(run(io_, text_of(*answer->body)), "broken: link_lost");
  EXPECT_TRUE(run_until(io_, [&] { return feed->dropped; }));
}

TEST_F(LinkPair, finishes_what_is_open_when_it_is_drained) {
  const auto feed = std::make_shared<Feed>(io_);
  upstream_.function = [feed](http::Request) {
    http::Response response;
    response.has_body = true;
    response.body = std::make_unique<FeedBody>(feed);
    return http::ready(std::move(response));
  };
  start();
  Answer answer = call(request_of("GET", "/"));
  ASSERT_TRUE(answer && answer->body);
  answering_.link->drain("upgrading");
  ASSERT_TRUE(run_until(io_, [&] { return !drained_.empty(); }));
  EXPECT_EQ(drained_, std::vector<std::string>{"upgrading"});
  EXPECT_FALSE(asking_.link->takes_streams());

  http::Request late = request_of("POST", "/", "whole");
  const Answer refused = run(io_, asking_.link->call(late));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::stream_refused);
  EXPECT_EQ(late.content, "whole");
  EXPECT_FALSE(late.used);

  bool is_idle = false;
  const auto wait = [](std::shared_ptr<Link> link, bool* idle) -> Awaitable<void> {
    co_await link->wait_idle();
    *idle = true;
  };
  group_.spawn(wait(answering_.link, &is_idle));
  run_for(io_, 30ms);
  EXPECT_FALSE(is_idle) << "an exchange is still open";
  feed->add("rest");
  feed->end();
  EXPECT_EQ(run(io_, text_of(*answer->body)), "rest");
  EXPECT_TRUE(run_until(io_, [&] { return is_idle; }));
}

TEST_F(LinkPair, gives_a_refused_request_back_whole) {
  start();
  // The GOAWAY and the request cross on the wire: only the session knows that nobody has looked at it.
  answering_.link->drain("now");
  http::Request request = request_of("POST", "/", "whole");
  const Answer answer = run(io_, asking_.link->call(request));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), Error::stream_refused);
  EXPECT_EQ(upstream_.calls, 0U);
  EXPECT_EQ(request.content, "whole");
  EXPECT_TRUE(request.has_body);
  EXPECT_FALSE(request.used);
}

TEST_F(LinkPair, says_why_it_closes) {
  start();
  asking_.link->close("replaced");
  ASSERT_TRUE(run_until(io_, [&] { return asking_.has_ended() && answering_.has_ended(); }));
  EXPECT_EQ(drained_, std::vector<std::string>{"replaced"});
  EXPECT_EQ(**answering_.end, Error::closed);
  EXPECT_EQ(**asking_.end, Error::closed);
  EXPECT_FALSE(asking_.link->takes_streams());
}

TEST_F(LinkPair, carries_notes) {
  start();
  answering_.link->send_note("all is well");
  ASSERT_TRUE(run_until(io_, [&] { return !notes_.empty(); }));
  EXPECT_EQ(notes_, std::vector<std::string>{"all is well"});
}

TEST_F(LinkPair, stays_alive_while_pings_come_back) {
  Link::Options quick;
  quick.ping_interval = 50ms;
  quick.dead_after = 150ms;
  start(quick, quick);
  run_for(io_, 400ms);
  EXPECT_FALSE(asking_.has_ended() || answering_.has_ended());
  EXPECT_GT(asking_.link->stats().rtt, net::Duration::zero());
}

TEST_F(LinkPair, takes_a_silent_peer_for_dead) {
  auto [left, right] = test::socket_pair(io_);  // nobody ever reads or answers on the right
  Link::Options quick;
  quick.ping_interval = 50ms;
  quick.dead_after = 120ms;
  asking_ = test::start_link(group_, std::make_shared<Link>(net::Stream(std::move(left)), Side::server,
                                                            Role::opener, nullptr, quick, Link::Hooks{}));
  const auto begin = net::Clock::now();
  ASSERT_TRUE(run_until(io_, [&] { return asking_.link->takes_streams(); }));
  const auto done = std::make_shared<std::vector<std::string>>();
  group_.spawn(note_summary(ask(*asking_.link, request_of("GET", "/")), done));
  ASSERT_TRUE(run_until(io_, [&] { return asking_.has_ended(); }));
  EXPECT_EQ(**asking_.end, Error::timed_out);
  EXPECT_GE(net::Clock::now() - begin, 120ms);
  ASSERT_TRUE(run_until(io_, [&] { return !done->empty(); }));
  EXPECT_EQ(done->front(), "link_lost");
}

TEST_F(LinkPair, ends_on_bytes_that_are_no_websocket) {
  auto [left, right] = test::socket_pair(io_);
  asking_ =
      test::start_link(group_, std::make_shared<Link>(net::Stream(std::move(left)), Side::server,
                                                      Role::opener, nullptr, Link::Options{}, Link::Hooks{}));
  net::Stream peer(std::move(right));
  EXPECT_FALSE(run(io_, test::write_bytes(peer, "HTTP/1.1 200 OK\r\n\r\n")));
  ASSERT_TRUE(run_until(io_, [&] { return asking_.has_ended(); }));
  EXPECT_EQ(**asking_.end, Error::protocol);
}

/// An upstream that speaks another protocol once asked: it collects what it hears, says what `feed` brings.
Awaitable<Answer> switch_over(http::Request request, std::shared_ptr<Feed> feed,
                              std::shared_ptr<std::unique_ptr<http::Body>> heard) {
  *heard = std::move(request.body);
  http::Response response;
  response.status = 101;
  response.switched = response.has_body = true;
  response.body = std::make_unique<FeedBody>(feed);
  co_return response;
}

TEST_F(LinkPair, half_closes_each_direction_of_a_switched_stream_by_itself) {
  for (const bool caller_first : {true, false}) {
    const auto says = std::make_shared<Feed>(io_);
    const auto heard = std::make_shared<std::unique_ptr<http::Body>>();
    upstream_.function = [=](http::Request request) { return switch_over(std::move(request), says, heard); };
    start();
    const auto caller = std::make_shared<Feed>(io_);
    http::Request request = request_of("GET", "/chat");
    request.upgrade = "websocket";
    request.body = std::make_unique<FeedBody>(caller);
    Answer answer = call(std::move(request));
    ASSERT_TRUE(answer && answer->body && *heard);
    EXPECT_EQ(answer->status, 101);
    EXPECT_TRUE(answer->switched);
    const auto& first = caller_first ? caller : says;
    const auto& second = caller_first ? says : caller;
    http::Body& first_ear = caller_first ? **heard : *answer->body;
    http::Body& second_ear = caller_first ? *answer->body : **heard;
    first->add("first");
    first->end();
    EXPECT_EQ(run(io_, text_of(first_ear)), "first");
    second->add("second");  // goes on after the other direction's end
    second->end();
    EXPECT_EQ(run(io_, text_of(second_ear)), "second");
    EXPECT_TRUE(run_until(io_, [&] { return asking_.link->open_streams() == 0; }));
    heard->reset();
    answer->body.reset();
    TearDown();
  }
}

TEST_F(LinkPair, holds_no_memory_for_bodies_that_nobody_read) {
  Budget budget;
  Link::Options options;
  options.h2.budget = &budget;
  upstream_.function = [](http::Request) { return http::ready(http::make_response(413, "", "too much")); };
  start({}, options);
  for (int i = 0; i < 20; ++i) {
    const auto feed = std::make_shared<Feed>(io_);
    feed->add(std::string(50'000, 'b'));
    http::Request request = request_of("POST", "/");
    request.has_body = true;
    request.body = std::make_unique<FeedBody>(feed);
    EXPECT_EQ(run(io_, summary_of(asking_.link->handle(std::move(request)))), "413 too much");
  }
  EXPECT_TRUE(run_until(io_, [&] { return answering_.link->open_streams() == 0; }));
  EXPECT_EQ(budget.used, 0U);
}

}  // namespace
}  // namespace rockdove::tunnel
