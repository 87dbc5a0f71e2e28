// What the embedded store does when its disk fails: it says no, says why, and recovers by itself.
#include "inbox/schema.hpp"
#include "inbox/sqlite_store.hpp"
#include "support/failing_vfs.hpp"
#include "support/inbox_files.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace rockdove::inbox {
namespace {

using test::eventually;
using test::new_event;
using test::run;
using test::run_until;
using test::wall_time;
using Fault = test::FailingVfs::Fault;
using Verdict = Settlement::Verdict;
using namespace std::chrono_literals;

class SqliteFaults : public testing::Test {
 protected:
  void open() {
    store_.reset();
    SqliteOptions options = files_.options();
    options.vfs = disk_.name();
    store_ = open_sqlite_store(io_.get_executor(), options);
  }
  Result<Appended> append(std::string body, bool claim = false) {
    NewEvent event = new_event("hook", std::move(body));
    event.claim = claim;
    return run(io_, store_->append(std::move(event)));
  }
  std::vector<std::string> stored_bodies() {
    std::vector<std::string> bodies;
    PageRequest request;
    request.oldest_first = true;
    request.limit = 1000;
    do {
      const auto page = run(io_, store_->list(request));
      if (!page) break;
      for (const Event& event : page->events)
        bodies.push_back(run(io_, store_->look_up(event.id))->request.body);
      request.cursor = page->next;
    } while (request.cursor != 0);
    return bodies;
  }
  Claimed claim_all() {
    ClaimRequest request;
    request.route = "hook";
    request.now = wall_time(test::start_ms + 1);
    request.events_max = 10'000;
    request.bytes_max = 1'000'000'000;
    const auto claimed = run(io_, store_->claim(request));
    return claimed ? *claimed : Claimed{};
  }
  static Settlement done(EventId id) {
    Settlement settlement;
    settlement.id = id;
    settlement.verdict = Verdict::done;
    settlement.now = wall_time(test::start_ms + 5);
    Attempt attempt;
    attempt.started_at = wall_time(test::start_ms + 2);
    attempt.status = 200;
    settlement.attempt = attempt;
    return settlement;
  }
  std::size_t count_of(State state) {
    std::size_t count = 0;
    for (const Tally& tally : store_->tallies())
      if (tally.state == state) count += tally.events;
    return count;
  }
  bool has_file(const std::string& part) {
    for (const auto& entry : std::filesystem::directory_iterator(files_.directory()))
      if (entry.path().filename().string().find(part) != std::string::npos) return true;
    return false;
  }
  /// Overwrites bytes of the closed database.
  void damage(std::int64_t offset, std::size_t size) {
    std::fstream file(files_.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << std::string(size, '\xff');
  }

  test::FailingVfs disk_;
  test::InboxFiles files_;
  net::IoContext io_;
  std::unique_ptr<Store> store_;
};

struct Failure {
  Fault fault;
  const char* says;
};

class EachFailure : public SqliteFaults, public testing::WithParamInterface<Failure> {};

TEST_P(EachFailure, appends_are_refused_with_a_reason_and_work_again_when_the_disk_does) {
  open();
  ASSERT_TRUE(append("before"));
  disk_.fault = GetParam().fault;
  for (int i = 0; i < 3; ++i) {
    const auto refused = append("refused");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), Error::unavailable);
  }
  EXPECT_FALSE(store_->health().ok);
  EXPECT_NE(store_->health().reason.find(GetParam().says), std::string::npos) << store_->health().reason;
  disk_.heal();
  const auto after = append("after");
  ASSERT_TRUE(after) << store_->health().reason;
  EXPECT_TRUE(store_->health().ok) << store_->health().reason;
  EXPECT_EQ(stored_bodies(), (std::vector<std::string>{"before", "after"}));
  EXPECT_EQ(count_of(State::waiting), 2u);
  open();
  EXPECT_EQ(stored_bodies(), (std::vector<std::string>{"before", "after"}));
}

TEST_P(EachFailure, settlements_wait_for_the_disk_and_are_not_lost) {
  open();
  const auto event = append("body", true);
  ASSERT_TRUE(event && event->claimed);
  disk_.fault = GetParam().fault;
  store_->settle_later(done(event->id));
  ASSERT_FALSE(append("refused"));
  EXPECT_EQ(claim_all().events.size(), 0u) << "the event is still claimed";
  disk_.heal();
  ASSERT_TRUE(eventually([&] { return count_of(State::done) == 1; }));
  EXPECT_EQ(run(io_, store_->look_up(event->id))->attempts.size(), 1u);
  EXPECT_EQ(claim_all().events.size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(SqliteFaults, EachFailure,
                         testing::Values(Failure{Fault::full, "the disk is full"},
                                         Failure{Fault::write_error, "fails"},
                                         Failure{Fault::short_writes, "fails"},
                                         Failure{Fault::sync_error, "fails"},
                                         Failure{Fault::read_only, "cannot be written"}),
                         [](const auto& each) { return "fault_" + std::to_string(each.index); });

TEST_F(SqliteFaults, a_write_that_fails_in_the_middle_of_a_commit_leaves_nothing_of_it) {
  open();
  std::vector<std::string> acked;
  for (int budget = 0; budget < 12; ++budget) {
    disk_.write_budget = budget;
    disk_.fault = budget % 2 == 0 ? Fault::full : Fault::short_writes;
    const std::string body = std::string(20'000, 'x') + std::to_string(budget);
    if (append(body)) acked.push_back(body);
    disk_.heal();
    const std::string next = "next" + std::to_string(budget);
    ASSERT_TRUE(append(next)) << store_->health().reason;
    acked.push_back(next);
  }
  EXPECT_EQ(stored_bodies(), acked);
  EXPECT_EQ(count_of(State::waiting), acked.size());
  open();
  EXPECT_EQ(stored_bodies(), acked);
}

TEST_F(SqliteFaults, what_was_acknowledged_survives_a_power_cut) {
  open();
  test::InboxFiles after_cut;
  for (int i = 0; i < 40; ++i) {
    const auto event = append("body " + std::to_string(i), i % 2 == 0);
    ASSERT_TRUE(event);
    if (event->claimed) run(io_, store_->settle(done(event->id)));
    if (i % 10 != 9) continue;
    std::vector<std::string> acked;
    for (int j = 0; j <= i; ++j) acked.push_back("body " + std::to_string(j));
    for (const char* part : {"", "-wal"})
      disk_.copy_synced(files_.file().string() + part, after_cut.file().string() + part);
    auto running = std::move(store_);
    store_ = open_sqlite_store(io_.get_executor(), after_cut.options());
    EXPECT_EQ(stored_bodies(), acked);
    EXPECT_EQ(count_of(State::done), static_cast<std::size_t>(i / 2 + 1));
    store_ = std::move(running);
  }
}

TEST_F(SqliteFaults, a_slow_disk_gathers_appends_into_one_commit) {
  open();
  ASSERT_TRUE(append("first"));
  disk_.sync_delay = 20ms;
  const auto commits = store_->health().commits;
  constexpr int count = 100;
  int stored = 0;
  const auto one = [](Store& store, int& done) -> Awaitable<void> {
    NewEvent event = new_event("hook", "body");
    const auto appended = co_await store.append(std::move(event));
    done += appended ? 1 : 0;
  };
  for (int i = 0; i < count; ++i)
    net::asio::co_spawn(io_, one(*store_, stored), [](std::exception_ptr error) { EXPECT_FALSE(error); });
  ASSERT_TRUE(run_until(io_, [&] { return stored == count; }));
  EXPECT_LE(store_->health().commits - commits, 4u);
  EXPECT_GE(store_->health().slowest_commit, 20ms);
}

TEST_F(SqliteFaults, reads_that_fail_are_errors_and_work_again_when_the_disk_does) {
  open();
  const auto event = append("body");
  ASSERT_TRUE(event);
  open();
  disk_.fault = Fault::read_error;
  const auto detail = run(io_, store_->look_up(event->id));
  ASSERT_FALSE(detail);
  EXPECT_EQ(detail.error(), Error::unavailable);
  EXPECT_FALSE(store_->health().ok);
  EXPECT_EQ(claim_all().events.size(), 0u);
  disk_.heal();
  EXPECT_EQ(claim_all().events.size(), 1u) << "a failed claim claims nothing";
  EXPECT_TRUE(store_->health().ok) << store_->health().reason;
}

TEST_P(EachFailure, at_the_start_keeps_nobody_from_starting_and_is_got_over_without_any_call) {
  disk_.fault = GetParam().fault;
  open();
  const auto refused = append("refused");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::unavailable);
  EXPECT_NE(store_->health().reason.find(GetParam().says), std::string::npos) << store_->health().reason;
  disk_.heal();
  ASSERT_TRUE(eventually([&] { return store_->health().ok; })) << store_->health().reason;
  EXPECT_TRUE(append("first"));
  EXPECT_EQ(stored_bodies(), std::vector<std::string>{"first"});
  EXPECT_EQ(count_of(State::waiting), 1u);
}

TEST_F(SqliteFaults, a_database_that_another_program_has_locked_at_the_start_is_used_when_it_is_free) {
  open();
  ASSERT_TRUE(append("first"));
  store_.reset();
  auto other = std::make_unique<sqlite::Database>(files_.file(), "", sqlite::Database::Access::read_write);
  ASSERT_TRUE(other->run("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; PRAGMA user_version"));
  open();
  EXPECT_FALSE(store_->health().ok);
  EXPECT_NE(store_->health().reason.find("another program"), std::string::npos) << store_->health().reason;
  other.reset();
  ASSERT_TRUE(eventually([&] { return store_->health().ok; })) << store_->health().reason;
  EXPECT_EQ(claim_all().events.size(), 1u);
}

TEST_F(SqliteFaults, what_is_queued_when_the_store_ends_on_a_failing_disk_does_not_hang) {
  open();
  const auto event = append("body", true);
  ASSERT_TRUE(event);
  disk_.fault = Fault::full;
  store_->settle_later(done(event->id));
  store_.reset();
  disk_.heal();
  open();
  EXPECT_EQ(claim_all().events.size(), 1u) << "it is due again";
}

TEST_F(SqliteFaults, a_record_that_has_rotted_is_quarantined_and_the_others_are_delivered) {
  open();
  std::vector<EventId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(append("body" + std::to_string(i))->id);
  store_.reset();
  {
    sqlite::Database database(files_.file(), "", sqlite::Database::Access::read_write);
    ASSERT_TRUE(database.run("UPDATE requests SET body = 'other' WHERE id = " + std::to_string(ids[1])));
  }
  open();
  const Claimed claimed = claim_all();
  ASSERT_EQ(claimed.events.size(), 2u);
  EXPECT_EQ(claimed.events[0].event.id, ids[0]);
  EXPECT_EQ(claimed.events[1].event.id, ids[2]);
  ASSERT_TRUE(eventually([&] { return count_of(State::quarantined) == 1; }));
  const auto detail = run(io_, store_->look_up(ids[1]));
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->event.state, State::quarantined);
  EXPECT_NE(detail->event.reason.find("checksum"), std::string::npos);
  EXPECT_TRUE(detail->request.method.empty());
}

TEST_F(SqliteFaults, an_event_whose_row_names_another_tunnel_is_quarantined_and_goes_to_nobody) {
  open();
  const EventId id = append("body")->id;
  store_.reset();
  {
    sqlite::Database database(files_.file(), "", sqlite::Database::Access::read_write);
    ASSERT_TRUE(database.run("UPDATE events SET tunnel = 'strangers' WHERE id = " + std::to_string(id)));
  }
  open();
  EXPECT_TRUE(claim_all().events.empty());
  ASSERT_TRUE(eventually([&] { return count_of(State::quarantined) == 1; }));
}

TEST_F(SqliteFaults, a_file_that_is_no_database_is_kept_aside_and_a_new_one_begins) {
  std::ofstream(files_.file()) << std::string(100'000, 'x');
  open();
  EXPECT_TRUE(append("body"));
  EXPECT_TRUE(has_file("inbox.db.corrupt-"));
  EXPECT_TRUE(store_->health().ok);
}

/// The pages on which a table or index lies, from the closed database.
std::vector<std::int64_t> leaves_of(const std::filesystem::path& file, const std::string& name) {
  sqlite::Database database(file, "", sqlite::Database::Access::read_write);
  sqlite::Statement pages(database,
                          "SELECT pgoffset FROM dbstat WHERE name=? AND pagetype='leaf' ORDER BY path");
  std::vector<std::int64_t> all;
  pages.bind(name);
  while (pages.step()) all.push_back(pages.integer(0));
  return all;
}

TEST_F(SqliteFaults, what_can_be_read_of_a_damaged_database_is_taken_over_at_the_start) {
  constexpr int count = 500;
  open();
  for (int i = 0; i < count; ++i) ASSERT_TRUE(append(std::string(500, 'x') + std::to_string(i)));
  store_.reset();
  const auto events = leaves_of(files_.file(), "events"), requests = leaves_of(files_.file(), "requests");
  ASSERT_GT(events.size(), 3u);
  ASSERT_GT(requests.size(), 8u);
  damage(events[events.size() / 2], 8192);
  damage(requests[1], 8192);
  damage(leaves_of(files_.file(), "tallies").at(0), 8192);  // so that the start notices
  open();
  EXPECT_TRUE(has_file("inbox.db.corrupt-"));
  EXPECT_TRUE(store_->health().ok) << store_->health().reason;
  const std::size_t waiting = count_of(State::waiting), dead = count_of(State::dead);
  EXPECT_GT(waiting, count * 2u / 3);
  EXPECT_GT(dead, 0u) << "requests without a state";
  EXPECT_LT(waiting + dead, static_cast<std::size_t>(count) + 1);
  // Where the request is lost nothing can be delivered.
  const std::size_t claimed = claim_all().events.size();
  EXPECT_GT(claimed, count / 2u);
  EXPECT_LT(claimed, waiting);
  EXPECT_TRUE(append("new"));
}

TEST_F(SqliteFaults, damage_found_while_running_is_repaired_without_a_restart) {
  constexpr int count = 300;
  open();
  for (int i = 0; i < count; ++i) ASSERT_TRUE(append(std::string(500, 'x') + std::to_string(i)));
  store_.reset();
  const auto leaves = leaves_of(files_.file(), "requests");
  damage(leaves[leaves.size() / 2], 8192);
  open();
  claim_all();
  ASSERT_TRUE(eventually([&] { return has_file("inbox.db.corrupt-") && store_->health().ok; }))
      << store_->health().reason;
  EXPECT_TRUE(append("new"));
  EXPECT_GT(claim_all().events.size(), count / 2u);
  EXPECT_TRUE(store_->health().ok) << store_->health().reason;
}

}  // namespace
}  // namespace rockdove::inbox
