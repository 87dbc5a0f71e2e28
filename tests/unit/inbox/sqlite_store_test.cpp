#include "inbox/sqlite_store.hpp"

#include "inbox/schema.hpp"
#include "support/inbox_files.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace rockdove::inbox {
namespace {

using test::new_event;
using test::run;
using test::start_ms;
using test::wall_time;
using Verdict = Settlement::Verdict;
using namespace std::chrono_literals;

class SqliteStore : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() { open(files_.options()); }
  void open(SqliteOptions options) {
    store_.reset();
    store_ = open_sqlite_store(io_.get_executor(), std::move(options));
  }

  Appended append(NewEvent event) {
    const auto appended = run(io_, store_->append(std::move(event)));
    EXPECT_TRUE(appended) << store_->health().reason;
    return appended ? *appended : Appended{};
  }
  Appended append(std::string body, std::int64_t received_ms = start_ms) {
    return append(new_event("hook", std::move(body), received_ms));
  }
  Claimed claim(std::int64_t now_ms = start_ms + 1'000'000, std::size_t events = 100,
                std::size_t bytes = 1 << 30) {
    ClaimRequest request;
    request.route = "hook";
    request.now = wall_time(now_ms);
    request.events_max = events;
    request.bytes_max = bytes;
    const auto claimed = run(io_, store_->claim(request));
    EXPECT_TRUE(claimed);
    return claimed ? *claimed : Claimed{};
  }
  std::vector<std::string> claim_bodies() {
    std::vector<std::string> bodies;
    for (const DueEvent& due : claim().events) bodies.push_back(due.request.body);
    return bodies;
  }
  static Settlement settlement(EventId id, Verdict verdict, std::int64_t now_ms = start_ms + 10) {
    Settlement made;
    made.id = id;
    made.verdict = verdict;
    made.now = wall_time(now_ms);
    made.due_at = wall_time(now_ms + 60'000);
    if (verdict == Verdict::dead) made.reason = "gave up";
    Attempt attempt;
    attempt.started_at = wall_time(now_ms - 1);
    attempt.took = 1ms;
    attempt.agent = "office";
    attempt.status = verdict == Verdict::done ? 200 : 503;
    attempt.body = "answer";
    if (verdict != Verdict::release) made.attempt = attempt;
    return made;
  }
  void settle(EventId id, Verdict verdict, std::int64_t now_ms = start_ms + 10) {
    run(io_, store_->settle(settlement(id, verdict, now_ms)));
  }
  State state_of(EventId id) {
    const auto detail = run(io_, store_->look_up(id));
    EXPECT_TRUE(detail);
    return detail ? detail->event.state : State::quarantined;
  }

  test::InboxFiles files_;
  net::IoContext io_;
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteStore, keeps_every_byte_of_a_request_over_a_restart) {
  NewEvent event = new_event("hook", std::string("a\0b\xff\xfe", 5));
  event.request.target = std::string("/\xc3\x28?") + std::string(1000, 'q');
  event.request.fields.add("X-Twice", "1");
  event.request.fields.add("x-twice", "");
  event.request.fields.add("X-Bytes", std::string("\x80\x00\xff", 3));
  event.request.peer = "192.0.2.1";
  event.request.tls = true;
  event.request.upstream = "bot";
  event.request.host = "example.org";
  const NewEvent sent = event;
  const EventId id = append(std::move(event)).id;
  open();
  const auto detail = run(io_, store_->look_up(id));
  ASSERT_TRUE(detail);
  const StoredRequest& got = detail->request;
  EXPECT_EQ(got.body, sent.request.body);
  EXPECT_EQ(got.target, sent.request.target);
  EXPECT_EQ(detail->event.target, sent.request.target.substr(0, 256)) << "lists show the beginning";
  EXPECT_EQ(got.peer + got.upstream + got.host, "192.0.2.1botexample.org");
  EXPECT_TRUE(got.tls && got.has_body);
  ASSERT_EQ(got.fields.size(), sent.request.fields.size());
  for (std::size_t i = 0; i < got.fields.size(); ++i) {
    EXPECT_EQ(got.fields.at(i).name, sent.request.fields.at(i).name);
    EXPECT_EQ(got.fields.at(i).value, sent.request.fields.at(i).value);
  }
}

TEST_F(SqliteStore, ids_rise_even_when_the_clock_jumps_back_and_the_newest_are_gone) {
  const EventId first = append("a", start_ms).id;
  EXPECT_GE(first, first_id_at(wall_time(start_ms)));
  const EventId second = append("b", start_ms - 3'600'000).id;
  EXPECT_EQ(second, first + 1);
  ASSERT_EQ(*run(io_, store_->purge(Filter{})), 2u);
  open();
  EXPECT_GT(append("c", start_ms - 7'200'000).id, second);
}

TEST_F(SqliteStore, a_duplicate_is_not_stored_until_its_window_ends) {
  NewEvent event = new_event("hook", "body");
  event.dedupe_key = "k";
  event.dedupe_until = wall_time(start_ms + 1000);
  const Appended first = append(event);
  EXPECT_FALSE(first.duplicate);
  settle(claim().events.at(0).event.id, Verdict::done);
  open();
  event.received_at = wall_time(start_ms + 999);
  event.claim = true;
  const Appended second = append(event);
  EXPECT_TRUE(second.duplicate);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.state, State::done);
  EXPECT_FALSE(second.claimed);
  event.route = "other";
  EXPECT_FALSE(append(event).duplicate) << "another route";
  event.route = "hook";
  event.received_at = wall_time(start_ms + 1000);
  EXPECT_FALSE(append(event).duplicate) << "the window has ended";
}

TEST_F(SqliteStore, duplicates_in_one_commit_are_stored_once) {
  int duplicates = 0, stored = 0;
  const auto one = [](Store& store, int& twice, int& once) -> Awaitable<void> {
    NewEvent event = new_event("hook", "body");
    event.dedupe_key = "k";
    event.dedupe_until = wall_time(start_ms + 1000);
    const auto appended = co_await store.append(std::move(event));
    ++(appended->duplicate ? twice : once);
  };
  for (int i = 0; i < 10; ++i)
    net::asio::co_spawn(io_, one(*store_, duplicates, stored),
                        [](std::exception_ptr error) { EXPECT_FALSE(error); });
  while (duplicates + stored < 10) ASSERT_TRUE(run(io_, store_->set_paused("other", "")));
  EXPECT_EQ(stored, 1);
  EXPECT_EQ(claim().events.size(), 1u);
}

TEST_F(SqliteStore, claims_what_is_due_within_its_limits_and_says_when_to_come_back) {
  const EventId late = append("late", start_ms + 20).id;
  append("early", start_ms + 10);
  append("future", start_ms + 5000);
  Claimed claimed = claim(start_ms + 100, 1);
  ASSERT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.events[0].request.body, "early") << "the oldest due first";
  EXPECT_EQ(claimed.next_due, wall_time(start_ms + 20));
  claimed = claim(start_ms + 100);
  ASSERT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.events[0].event.id, late);
  EXPECT_EQ(claimed.next_due, wall_time(start_ms + 5000));
  claimed = claim(start_ms + 100);
  EXPECT_TRUE(claimed.events.empty());
  EXPECT_EQ(claimed.next_due, wall_time(start_ms + 5000));
}

TEST_F(SqliteStore, a_claim_takes_the_first_event_whatever_its_size_and_others_while_they_fit) {
  for (int i = 0; i < 3; ++i) append(std::string(10'000, 'x'), start_ms + i);
  EXPECT_EQ(claim(start_ms + 100, 10, 1).events.size(), 1u);
  const Claimed claimed = claim(start_ms + 100, 10, 15'000);
  EXPECT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.next_due, wall_time(start_ms + 2));
  EXPECT_EQ(claim(start_ms + 100, 10, 15'000).events.size(), 1u);
}

TEST_F(SqliteStore, an_event_appended_with_a_claim_is_not_given_to_others_until_released) {
  NewEvent event = new_event("hook", "body");
  event.claim = true;
  const Appended appended = append(event);
  EXPECT_TRUE(appended.claimed);
  EXPECT_TRUE(claim().events.empty());
  settle(appended.id, Verdict::release);
  const Claimed claimed = claim();
  ASSERT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.events[0].event.attempts, 0) << "a release is no attempt";
}

TEST_F(SqliteStore, claims_end_with_the_process) {
  append("body");
  ASSERT_EQ(claim().events.size(), 1u);
  open();
  EXPECT_EQ(claim().events.size(), 1u);
}

TEST_F(SqliteStore, a_retry_waits_until_it_is_due_and_counts_its_attempts) {
  const EventId id = append("body").id;
  claim();
  settle(id, Verdict::retry, start_ms + 10);
  EXPECT_TRUE(claim(start_ms + 60'009).events.empty());
  const Claimed claimed = claim(start_ms + 60'010);
  ASSERT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.events[0].event.attempts, 1);
  EXPECT_EQ(claimed.events[0].event.first_attempt_at, wall_time(start_ms + 9));
  settle(id, Verdict::done, start_ms + 70'000);
  const auto detail = run(io_, store_->look_up(id));
  ASSERT_EQ(detail->attempts.size(), 2u);
  EXPECT_EQ(detail->attempts[1].number, 2);
  EXPECT_EQ(detail->event.first_attempt_at, wall_time(start_ms + 9));
  EXPECT_EQ(run(io_, store_->last_answer(id))->status, 200);
}

TEST_F(SqliteStore, only_the_head_of_an_order_is_waiting_and_the_next_follows_however_it_ends) {
  std::vector<EventId> ids;
  for (int i = 0; i < 4; ++i) {
    NewEvent event = new_event("hook", std::to_string(i));
    event.ordered = true;
    event.order_key = "key";
    event.claim = true;
    const Appended appended = append(event);
    EXPECT_EQ(appended.state, i == 0 ? State::waiting : State::queued);
    EXPECT_EQ(appended.claimed, i == 0);
    ids.push_back(appended.id);
  }
  settle(ids[0], Verdict::retry);
  EXPECT_TRUE(claim(start_ms + 20).events.empty()) << "those behind wait for the retry";
  ASSERT_EQ(claim().events.size(), 1u);
  settle(ids[0], Verdict::done);
  EXPECT_EQ(claim_bodies(), std::vector<std::string>{"1"});
  settle(ids[1], Verdict::dead);
  Filter second;
  second.from = ids[2];
  second.until = ids[2] + 1;
  EXPECT_EQ(*run(io_, store_->purge(second)), 1u);
  EXPECT_EQ(claim_bodies(), std::vector<std::string>{"3"});
}

TEST_F(SqliteStore, a_replay_makes_ended_events_due_again_outside_of_their_order) {
  const EventId done = append("done").id, dead = append("dead").id, held = append("held").id;
  claim();
  settle(done, Verdict::done);
  settle(dead, Verdict::dead);
  EXPECT_EQ(*run(io_, store_->replay({done, dead, held, 42}, wall_time(start_ms + 100))), 2u);
  const Claimed claimed = claim(start_ms + 100);
  ASSERT_EQ(claimed.events.size(), 2u);
  for (const DueEvent& due : claimed.events) {
    EXPECT_TRUE(due.event.replay);
    EXPECT_EQ(due.event.attempts, 1);
    EXPECT_EQ(due.event.first_attempt_at, WallTime{});
    EXPECT_TRUE(due.event.reason.empty());
  }
}

TEST_F(SqliteStore, a_purge_leaves_claimed_events_alone) {
  const EventId first = append("one").id;
  ASSERT_EQ(claim().events.size(), 1u);
  append("two");
  EXPECT_EQ(*run(io_, store_->purge(Filter{})), 1u);
  EXPECT_EQ(*run(io_, store_->purge(Filter{})), 0u);
  EXPECT_EQ(state_of(first), State::waiting);
}

TEST_F(SqliteStore, retention_removes_by_age_then_by_number_the_longest_ended_first) {
  Retention retention;
  retention.done_age = 1h;
  retention.dead_age = 2h;
  retention.events_max = 2;
  store_->set_retention(retention);
  std::vector<EventId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(append(std::to_string(i)).id);
  claim();
  for (int i = 0; i < 4; ++i)
    settle(ids[static_cast<std::size_t>(i)], i < 2 ? Verdict::done : Verdict::dead, start_ms + i);
  EXPECT_EQ(*run(io_, store_->expire(wall_time(start_ms + 10))), 2u) << "four ended, two are kept";
  EXPECT_EQ(run(io_, store_->look_up(ids[1])).error(), Error::not_found);
  EXPECT_EQ(*run(io_, store_->expire(wall_time(start_ms + 3'600'100))), 0u) << "dead letters are kept longer";
  EXPECT_EQ(*run(io_, store_->expire(wall_time(start_ms + 7'200'100))), 2u);
  EXPECT_EQ(state_of(ids[4]), State::waiting) << "what has not ended is never removed";
}

TEST_F(SqliteStore, ended_events_make_room_and_pending_ones_fill_it) {
  Retention retention;
  retention.bytes_max = 60'000;
  store_->set_retention(retention);
  const std::string big(9'000, 'x');  // it is in a field, too
  std::vector<EventId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(append(big).id);
  const auto refused = run(io_, store_->append(new_event("hook", "small")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::unavailable);
  EXPECT_FALSE(store_->health().ok);
  EXPECT_NE(store_->health().reason.find("refused"), std::string::npos);
  claim();
  settle(ids[0], Verdict::done);
  EXPECT_TRUE(store_->health().ok);
  append("small");
  EXPECT_EQ(*run(io_, store_->expire(wall_time(start_ms + 20))), 1u);
}

TEST_F(SqliteStore, old_dedupe_keys_go_with_expire) {
  for (int i = 0; i < 10; ++i) {
    NewEvent event = new_event("hook", std::to_string(i));
    event.dedupe_key = std::to_string(i);
    event.dedupe_until = wall_time(start_ms + i);
    append(event);
  }
  EXPECT_EQ(*run(io_, store_->expire(wall_time(start_ms + 4))), 0u);
  sqlite::Database database(files_.file(), "", sqlite::Database::Access::read_write);
  EXPECT_EQ(database.number("SELECT count(*) FROM dedupe"), 5);
}

TEST_F(SqliteStore, a_search_gives_a_cursor_when_its_time_is_over) {
  SqliteOptions options = files_.options();
  options.page_time = 0ms;
  open(options);
  for (int i = 0; i < 5; ++i) append("body " + std::to_string(i));
  PageRequest request;
  request.filter.text = "body 1";
  std::vector<std::string> found;
  int pages = 0;
  do {
    const auto page = run(io_, store_->list(request));
    ASSERT_TRUE(page);
    for (const Event& event : page->events)
      found.push_back(run(io_, store_->look_up(event.id))->request.body);
    request.cursor = page->next;
    ++pages;
  } while (request.cursor != 0 && pages < 100);
  EXPECT_EQ(found, std::vector<std::string>{"body 1"});
  EXPECT_GT(pages, 3);
}

TEST_F(SqliteStore, a_call_that_is_cancelled_gives_its_claim_back) {
  net::asio::cancellation_signal signal;
  bool ended = false;
  const auto one = [](Store& store) -> Awaitable<void> {
    NewEvent event = new_event("hook", "body");
    event.claim = true;
    co_await store.append(std::move(event));
  };
  net::asio::co_spawn(
      io_, one(*store_),
      net::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) { ended = true; }));
  io_.restart();
  io_.poll();  // it waits now
  signal.emit(net::asio::cancellation_type::terminal);
  ASSERT_TRUE(test::run_until(io_, [&] { return ended; }));
  ASSERT_TRUE(run(io_, store_->set_paused("other", "")));  // comes after it
  EXPECT_EQ(claim().events.size(), 1u);
}

TEST_F(SqliteStore, ends_while_calls_are_under_way) {
  int finished = 0;
  const auto one = [](Store& store, int& count) -> Awaitable<void> {
    NewEvent event = new_event("hook", "body");
    co_await store.append(std::move(event));
    ++count;
  };
  const auto counted = [](std::exception_ptr error) { EXPECT_FALSE(error); };
  for (int i = 0; i < 20; ++i) net::asio::co_spawn(io_, one(*store_, finished), counted);
  io_.restart();
  io_.poll();
  store_.reset();
  io_.run();
  EXPECT_EQ(finished, 20);
  open();
  EXPECT_EQ(claim().events.size(), 20u);
}

TEST_F(SqliteStore, paused_routes_and_tallies_survive_a_restart) {
  ASSERT_TRUE(run(io_, store_->set_paused("hook", "410")));
  ASSERT_TRUE(run(io_, store_->set_paused("other", "x")));
  ASSERT_TRUE(run(io_, store_->set_paused("other", "")));
  append("body");
  open();
  const auto paused = run(io_, store_->paused());
  ASSERT_EQ(paused->size(), 1u);
  EXPECT_EQ(paused->at(0), (std::pair<std::string, std::string>("hook", "410")));
  ASSERT_EQ(store_->tallies().size(), 1u);
  EXPECT_EQ(store_->tallies()[0].events, 1u);
}

TEST_F(SqliteStore, a_second_server_on_the_same_inbox_is_refused_with_a_clear_word) {
  try {
    const auto second = open_sqlite_store(io_.get_executor(), files_.options());
    FAIL() << "it opened";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("another server"), std::string::npos) << error.what();
  }
}

TEST_F(SqliteStore, a_database_of_a_newer_version_or_another_program_is_left_alone) {
  for (const char* const change : {"PRAGMA user_version = 99", "PRAGMA application_id = 7"}) {
    store_.reset();
    {
      sqlite::Database database(files_.file(), "", sqlite::Database::Access::read_write);
      ASSERT_TRUE(database.run(change));
    }
    EXPECT_THROW(open(), std::runtime_error) << change;
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(files_.directory()), {}), 2)
        << "database and lock";
  }
}

TEST_F(SqliteStore, a_directory_that_cannot_be_written_is_an_exception_that_names_the_file) {
  store_.reset();
  SqliteOptions options = files_.options();
  options.file = files_.directory() / "nowhere" / "inbox.db";
  try {
    open(options);
    FAIL() << "it opened";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere"), std::string::npos) << error.what();
  }
}

TEST_F(SqliteStore, its_files_are_for_their_owner_only) {
  append("secret");
  for (const char* const part : {"", "-wal", "-shm", ".lock"}) {
    struct ::stat status {};
    ASSERT_EQ(::stat((files_.file().string() + part).c_str(), &status), 0) << part;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << part;
  }
}

}  // namespace
}  // namespace rockdove::inbox
