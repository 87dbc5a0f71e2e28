// What the embedded store keeps and lets go: retention, its files, restarts.
#include "inbox/schema.hpp"
#include "unit/inbox/store_fixture.hpp"

#include <sys/stat.h>

namespace rockdove::inbox {
namespace {

using SqliteStoreLife = StoreFixture;

TEST_F(SqliteStoreLife, retention_removes_by_age_then_by_number_the_longest_ended_first) {
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

TEST_F(SqliteStoreLife, ended_events_make_room_and_pending_ones_fill_it) {
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

TEST_F(SqliteStoreLife, old_dedupe_keys_go_with_expire) {
  for (int i = 0; i < 10; ++i) {
    NewEvent event = new_event("hook", std::to_string(i));
    event.dedupe_key = std::to_string(i);
    event.dedupe_until = wall_time(start_ms + i);
    append(event);
  }
  const Claimed claimed = claim();
  for (const DueEvent& due : claimed.events)
    if (due.request.body != "0") settle(due.event.id, Verdict::done);
  EXPECT_EQ(*run(io_, store_->expire(wall_time(start_ms + 4))), 0u);
  sqlite::Database database(files_.file(), "", sqlite::Database::Access::read_write);
  EXPECT_EQ(database.number("SELECT count(*) FROM dedupe"), 6)
      << "five in their time, one of a pending event";
}

TEST_F(SqliteStoreLife, many_old_dedupe_keys_go_slice_by_slice_around_those_of_pending_events) {
  constexpr int count = 5'000;
  const EventId pending = append("body").id;
  sqlite::Database database(files_.file(), "", sqlite::Database::Access::read_write);
  ASSERT_TRUE(database.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" +
                           std::to_string(count) +
                           ") INSERT INTO dedupe SELECT randomblob(16), iif(i%2, 1, " +
                           std::to_string(pending) + "), i/100 FROM n"));
  ASSERT_TRUE(run(io_, store_->expire(wall_time(start_ms))));
  EXPECT_EQ(database.number("SELECT count(*) FROM dedupe"), count / 2);
}

TEST_F(SqliteStoreLife, a_key_counts_for_as_long_as_its_event_is_pending) {
  NewEvent event = new_event("hook", "body");
  event.dedupe_key = "k";
  event.dedupe_until = wall_time(start_ms + 1000);
  const EventId first = append(event).id;
  event.received_at = wall_time(start_ms + 90'000'000);
  ASSERT_TRUE(run(io_, store_->expire(event.received_at)));
  const Appended second = append(event);
  EXPECT_TRUE(second.duplicate);
  EXPECT_EQ(second.id, first);
  claim();
  settle(first, Verdict::done);
  EXPECT_FALSE(append(event).duplicate);
}

TEST_F(SqliteStoreLife, of_many_attempts_the_first_and_the_newest_are_kept) {
  const EventId id = append("body").id;
  constexpr int count = 130;
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(claim().events.size(), 1u);
    settle(id, i + 1 < count ? Verdict::retry : Verdict::done);
  }
  const auto detail = run(io_, store_->look_up(id));
  EXPECT_EQ(detail->event.attempts, count);
  std::vector<int> expected, found;
  for (int i = 1; i <= first_attempts_kept; ++i) expected.push_back(i);
  for (int i = count - newest_attempts_kept + 1; i <= count; ++i) expected.push_back(i);
  for (const Attempt& attempt : detail->attempts) found.push_back(attempt.number);
  EXPECT_EQ(found, expected);
}

TEST_F(SqliteStoreLife, answers_are_cut_those_before_another_attempt_to_less) {
  const EventId id = append("body").id;
  for (const Verdict verdict : {Verdict::retry, Verdict::done}) {
    claim();
    Settlement made = settlement(id, verdict);
    made.attempt->body.assign(1'000'000, 'x');
    run(io_, store_->settle(made));
  }
  const auto detail = run(io_, store_->look_up(id));
  ASSERT_EQ(detail->attempts.size(), 2u);
  EXPECT_EQ(detail->attempts[0].body.size(), retried_answer_bytes_max);
  EXPECT_EQ(detail->attempts[1].body.size(), answer_bytes_max);
}

TEST_F(SqliteStoreLife, paused_routes_and_tallies_survive_a_restart) {
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

TEST_F(SqliteStoreLife, a_second_server_on_the_same_inbox_is_refused_with_a_clear_word) {
  try {
    const auto second = open_sqlite_store(io_.get_executor(), files_.options());
    FAIL() << "it opened";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("another server"), std::string::npos) << error.what();
  }
}

TEST_F(SqliteStoreLife, a_database_of_a_newer_version_or_another_program_is_left_alone) {
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

TEST_F(SqliteStoreLife, a_directory_that_cannot_be_written_is_an_exception_that_names_the_file) {
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

TEST_F(SqliteStoreLife, its_files_are_for_their_owner_only) {
  append("secret");
  for (const char* const part : {"", "-wal", "-shm", ".lock"}) {
    struct ::stat status {};
    ASSERT_EQ(::stat((files_.file().string() + part).c_str(), &status), 0) << part;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << part;
  }
}

}  // namespace
}  // namespace rockdove::inbox
