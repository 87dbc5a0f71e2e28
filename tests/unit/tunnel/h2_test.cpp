#include "tunnel/h2.hpp"

#include "unit/tunnel/h2_pair.hpp"

namespace rockdove::tunnel {
namespace {

TEST(h2, carries_a_request_and_its_response) {
  Pair pair;
  const auto ours = pair.open(get_head, false);
  pair.opener.send(*ours, "question", true);
  ASSERT_TRUE(pair.exchange());
  ASSERT_EQ(pair.opened.size(), 1U);
  H2Stream& theirs = *pair.opened.front();
  EXPECT_EQ(pair.answerer.take_changed(), std::vector<StreamPtr>{pair.opened.front()});
  ASSERT_EQ(theirs.heads.size(), 1U);
  EXPECT_EQ(list_of(theirs.heads[0]), get_head);
  EXPECT_EQ(theirs.inbound, "question");
  EXPECT_TRUE(theirs.remote_ended);
  EXPECT_FALSE(theirs.bodiless);
  EXPECT_TRUE(ours->outbound_taken);

  pair.answerer.respond(theirs, views_of(ok_head), true, false);
  pair.answerer.send(theirs, "answer", true);
  ASSERT_TRUE(pair.exchange());
  ASSERT_EQ(ours->heads.size(), 1U);
  EXPECT_EQ(list_of(ours->heads[0]), ok_head);
  EXPECT_EQ(ours->inbound, "answer");
  EXPECT_TRUE(ours->closed && theirs.closed);
  EXPECT_EQ(ours->reset_code, H2::no_error);
  EXPECT_EQ(pair.opener.open_streams() + pair.answerer.open_streams(), 0U);
}

TEST(h2, tells_a_message_without_a_body_from_an_empty_one) {
  Pair pair;
  const auto bodiless = pair.open();
  const auto empty = pair.open(get_head, false);
  pair.opener.send(*empty, {}, true);
  ASSERT_TRUE(pair.exchange());
  ASSERT_EQ(pair.opened.size(), 2U);
  EXPECT_TRUE(pair.opened[0]->bodiless && pair.opened[0]->remote_ended);
  EXPECT_FALSE(pair.opened[1]->bodiless);
  EXPECT_TRUE(pair.opened[1]->remote_ended);
}

TEST(h2, keeps_interim_heads_apart_and_in_order) {
  Pair pair;
  const auto ours = pair.open();
  ASSERT_TRUE(pair.exchange());
  H2Stream& theirs = *pair.opened.front();
  const List go_on{{":status", "100"}}, hints{{":status", "103"}, {"link", "</a>"}};
  pair.answerer.respond(theirs, views_of(go_on), false, false);
  pair.answerer.respond(theirs, views_of(hints), false, false);
  pair.answerer.respond(theirs, views_of(ok_head), true, true);
  ASSERT_TRUE(pair.exchange());
  ASSERT_EQ(ours->heads.size(), 3U);
  EXPECT_EQ(ours->heads[0].get(":status"), "100");
  EXPECT_EQ(ours->heads[1].get("link"), "</a>");
  EXPECT_EQ(ours->heads[2].get(":status"), "200");
  EXPECT_TRUE(ours->trailers.empty());
  EXPECT_TRUE(ours->bodiless);
}

TEST(h2, a_request_has_one_head_whatever_it_calls_itself) {
  Pair pair;
  auto head = get_head;
  head.emplace_back(":status", "100");
  const auto ours = pair.open(head, false);
  ASSERT_TRUE(pair.exchange());
  const List more{{":status", "100"}, {"x-fill", std::string(1000, 'a')}};
  for (int i = 0; i < 200; ++i) {
    pair.opener.respond(*ours, views_of(more), false, false);
    ASSERT_TRUE(pair.exchange());
  }
  EXPECT_EQ(pair.opened.at(0)->heads.size(), 1U);
}

TEST(h2, a_flood_of_interim_heads_that_nobody_takes_ends_the_stream) {
  Pair pair;
  const auto ours = pair.open();
  ASSERT_TRUE(pair.exchange());
  H2Stream& theirs = *pair.opened.front();
  const List hints{{":status", "103"}};
  for (int i = 0; i < 200; ++i) {
    pair.answerer.respond(theirs, views_of(hints), false, false);
    ASSERT_TRUE(pair.exchange());
  }
  EXPECT_LE(ours->heads.size(), 40U);
  EXPECT_TRUE(ours->closed);
}

TEST(h2, sends_trailers_behind_the_body_in_both_directions) {
  Pair pair;
  const auto ours = pair.open(get_head, false);
  ours->outbound_trailers.add("x-sum", "1");
  pair.opener.send(*ours, "abc", true);
  ASSERT_TRUE(pair.exchange());
  H2Stream& theirs = *pair.opened.front();
  EXPECT_EQ(list_of(theirs.trailers), (List{{"x-sum", "1"}}));
  EXPECT_EQ(theirs.inbound, "abc");
  EXPECT_TRUE(theirs.remote_ended);
  pair.answerer.respond(theirs, views_of(ok_head), true, false);
  theirs.outbound_trailers.add("x-a", "1");
  theirs.outbound_trailers.add("x-a", "2");
  pair.answerer.send(theirs, {}, true);
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(list_of(ours->trailers), (List{{"x-a", "1"}, {"x-a", "2"}}));
  EXPECT_EQ(ours->heads.size(), 1U);
  EXPECT_TRUE(ours->closed);
}

TEST(h2, keeps_order_duplicates_and_odd_bytes_of_fields) {
  List head = get_head;
  const List fields{{"b", "1"},
                    {"a", "2"},
                    {"b", "3"},
                    {"mixed-case", "Kept"},
                    {"odd", "\x80\xff"},
                    {"x", ""},
                    {"spaced", " a\tb "},
                    {"x-request-id", "7"},
                    {"cookie", "a=1"},
                    {"cookie", "b=2"},
                    {"connection", "close"},
                    {"te", "gzip"}};
  head.insert(head.end(), fields.begin(), fields.end());
  Pair pair;
  for (int i = 0; i < 3; ++i) pair.open(head);  // the later ones come out of the compression's table
  ASSERT_TRUE(pair.exchange());
  ASSERT_EQ(pair.opened.size(), 3U);
  for (const auto& stream : pair.opened) EXPECT_EQ(list_of(stream->heads.at(0)), head);
}

TEST(h2, sends_the_name_of_a_field_that_always_changes_once) {
  Pair pair;
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 100; ++i) {
    List head = get_head;
    head.emplace_back(":rd-trace", std::to_string(100'000 + i));
    pair.open(head);
    std::string bytes;
    ASSERT_TRUE(pair.opener.take(bytes, SIZE_MAX));
    ASSERT_TRUE(pair.answerer.feed(bytes));
    sizes.push_back(bytes.size());
    // The name may come alone as well; then it says nothing.
    const auto& arrived = pair.opened.back()->heads.at(0);
    EXPECT_EQ(arrived.at(arrived.size() - 1).value, std::to_string(100'000 + i));
  }
  for (std::size_t i = 1; i < sizes.size(); ++i) EXPECT_LE(sizes[i] + 9, sizes[0]) << i;
}

TEST(h2, tells_both_ends_of_a_reset) {
  Pair pair;
  const auto ours = pair.open(get_head, false);
  ASSERT_TRUE(pair.exchange());
  const StreamPtr theirs = pair.opened.front();
  pair.answerer.take_changed();
  pair.opener.reset(*ours, H2::cancel);
  EXPECT_TRUE(ours->closed);
  ASSERT_TRUE(pair.exchange());
  EXPECT_TRUE(theirs->closed);
  EXPECT_EQ(theirs->reset_code, H2::cancel);
  EXPECT_EQ(pair.answerer.take_changed(), std::vector<StreamPtr>{theirs});
  EXPECT_EQ(pair.opener.open_streams() + pair.answerer.open_streams(), 0U);
  // Late words of an owner that has not looked yet do no harm.
  pair.answerer.respond(*theirs, views_of(ok_head), true, false);
  pair.answerer.send(*theirs, "late", true);
  EXPECT_TRUE(pair.exchange());
}

TEST(h2, lets_go_of_a_sender_s_memory_when_a_stream_is_reset) {
  H2::Options small;
  small.stream_window = 10;
  Pair pair({}, small);
  const auto ours = pair.open(get_head, false);
  auto body = std::make_unique<std::string>(1000, 'b');
  pair.opener.send(*ours, *body, true);
  ASSERT_TRUE(pair.exchange());
  pair.opener.reset(*ours, H2::cancel);
  body.reset();
  EXPECT_TRUE(ours->outbound.empty() && ours->outbound_taken);
  EXPECT_TRUE(pair.exchange());
}

TEST(h2, opens_nothing_more_after_the_peer_has_said_goodbye) {
  Pair pair;
  const auto before = pair.open(get_head, false);
  ASSERT_TRUE(pair.exchange());
  pair.answerer.go_away("upgrading");
  const auto too_late = pair.open();  // not yet known to be futile
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(pair.opener.peer_gone(), "upgrading");
  const auto refused = std::make_shared<H2Stream>();
  const auto opened = pair.opener.open(refused, views_of(get_head), true);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), Error::draining);
  EXPECT_TRUE(too_late->closed);
  EXPECT_EQ(too_late->reset_code, H2::refused_stream);
  EXPECT_EQ(pair.opened.size(), 1U);
  // What was open goes on.
  EXPECT_FALSE(before->closed);
  pair.opener.send(*before, "rest", true);
  pair.answerer.respond(*pair.opened.front(), views_of(ok_head), true, true);
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(pair.opened.front()->inbound, "rest");
  EXPECT_TRUE(before->closed);
  EXPECT_EQ(before->reset_code, H2::no_error);
}

TEST(h2, carries_notes_beside_the_streams) {
  Pair pair;
  const std::string large(16 * 1024, 'n');
  pair.answerer.send_note("first");
  pair.answerer.send_note("");
  pair.answerer.send_note(large);
  pair.opener.send_note(std::string("\0\xff", 2));
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(pair.opener.take_notes(), (std::vector<std::string>{"first", "", large}));
  EXPECT_EQ(pair.answerer.take_notes(), std::vector<std::string>{std::string("\0\xff", 2)});
  EXPECT_TRUE(pair.opener.take_notes().empty());
}

TEST(h2, resets_only_the_stream_whose_head_is_too_large) {
  H2::Options options;
  options.head_bytes_max = 4000;
  Pair pair({}, options);
  List large = get_head;
  for (int i = 0; i < 10; ++i) large.push_back({"x-" + std::to_string(i), std::string(500, 'v')});
  const auto refused = pair.open(large);
  const auto good = pair.open();
  ASSERT_TRUE(pair.exchange());
  EXPECT_TRUE(refused->closed);
  EXPECT_NE(refused->reset_code, H2::no_error);
  EXPECT_FALSE(good->closed);
  ASSERT_EQ(pair.opened.size(), 2U);
  EXPECT_TRUE(pair.opened[0]->heads.empty());
  EXPECT_EQ(pair.opened[1]->heads.size(), 1U);
}

TEST(h2, counts_each_head_of_a_stream_by_itself) {
  H2::Options options;
  options.head_bytes_max = 400;
  Pair pair(options);
  const auto ours = pair.open();
  ASSERT_TRUE(pair.exchange());
  const List interim{{":status", "103"}, {"link", std::string(250, 'l')}};
  for (int i = 0; i < 5; ++i) pair.answerer.respond(*pair.opened.front(), views_of(interim), false, false);
  pair.answerer.respond(*pair.opened.front(), views_of(ok_head), true, true);
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(ours->heads.size(), 6U);
  EXPECT_EQ(ours->reset_code, H2::no_error);
}

TEST(h2, says_when_a_ping_has_come_back) {
  Pair pair;
  EXPECT_EQ(pair.opener.take_ping_ack(), std::nullopt);
  pair.opener.ping(0x0123456789abcdef);
  EXPECT_TRUE(pair.opener.wants_write());
  ASSERT_TRUE(pair.exchange());
  EXPECT_EQ(pair.opener.take_ping_ack(), 0x0123456789abcdefU);
  EXPECT_EQ(pair.opener.take_ping_ack(), std::nullopt);
  EXPECT_EQ(pair.answerer.take_ping_ack(), std::nullopt);
}

TEST(h2, closes_every_stream_when_it_is_dropped) {
  Pair pair;
  const auto ours = pair.open(get_head, false);
  const std::string body(10, 'b');
  pair.opener.send(*ours, body, true);
  EXPECT_EQ(pair.opener.drop_all(), std::vector<StreamPtr>{ours});
  EXPECT_TRUE(ours->closed && ours->outbound_taken);
  EXPECT_EQ(pair.opener.open_streams(), 0U);
}

TEST(h2, breaks_on_bytes_that_are_no_http2) {
  H2 session(Role::answerer, {}, [] { return std::make_shared<H2Stream>(); });
  const auto fed = session.feed("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error(), Error::protocol);
}

}  // namespace
}  // namespace rockdove::tunnel
