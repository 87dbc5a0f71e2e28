// What waits for the committing thread: it is refused together, given up with its caller, and bounded.
#include "inbox/schema.hpp"
#include "support/failing_vfs.hpp"
#include "unit/inbox/store_fixture.hpp"

#include <algorithm>
#include <thread>

namespace rockdove::inbox {
namespace {

using test::eventually;
using Fault = test::FailingVfs::Fault;

/// An append whose end is noted.
struct Outcome {
  bool ended = false, stored = false, claimed = false;
};

class SqliteStoreQueue : public StoreFixture {
 protected:
  void SetUp() override { open_with({}); }
  void TearDown() override {
    disk_.heal();
    disk_.sync_delay = 0ms;
    store_.reset();
    io_.restart();
    io_.poll();
  }
  void open_with(std::size_t queue_bytes) {
    SqliteOptions options = files_.options();
    options.vfs = disk_.name();
    if (queue_bytes > 0) options.queue_bytes = queue_bytes;
    open(options);
    append("first");  // so that nothing but the log is written from now on
  }
  static Awaitable<void> one(Store& store, NewEvent event, std::shared_ptr<Outcome> outcome) {
    const auto appended = co_await store.append(std::move(event));
    outcome->ended = true;
    outcome->stored = appended.has_value();
    outcome->claimed = appended && appended->claimed;
  }
  std::shared_ptr<Outcome> begin_append(std::string body, net::asio::cancellation_signal* signal = nullptr,
                                        bool claim = false) {
    const auto outcome = std::make_shared<Outcome>();
    NewEvent event = new_event("hook", std::move(body));
    event.claim = claim;
    const auto ended = [](std::exception_ptr) {};
    if (signal)
      net::asio::co_spawn(io_, one(*store_, std::move(event), outcome),
                          net::asio::bind_cancellation_slot(signal->slot(), ended));
    else net::asio::co_spawn(io_, one(*store_, std::move(event), outcome), ended);
    io_.restart();
    io_.poll();
    return outcome;
  }
  bool all_ended(const std::vector<std::shared_ptr<Outcome>>& all) {
    return test::run_until(io_, [&] {
      return std::all_of(all.begin(), all.end(), [](const auto& each) { return each->ended; });
    });
  }
  /// The committing thread has taken what there is and is waiting for the disk.
  void hold_commit() {
    disk_.sync_delay = 40ms;
    const int before = disk_.syncs;
    held_ = begin_append("held");
    while (disk_.syncs == before) std::this_thread::yield();
  }

  test::FailingVfs disk_;
  std::shared_ptr<Outcome> held_;
};

TEST_F(SqliteStoreQueue, a_disk_that_is_full_refuses_all_that_is_queued_at_once) {
  hold_commit();
  disk_.fault = Fault::full;
  std::vector<std::shared_ptr<Outcome>> all{held_};
  for (int i = 0; i < 300; ++i) all.push_back(begin_append("queued"));
  ASSERT_TRUE(all_ended(all));
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_FALSE(all[i]->stored);
  EXPECT_LE(disk_.writes, 1000);
  disk_.heal();
  append("after");
  EXPECT_TRUE(store_->health().ok) << store_->health().reason;
}

TEST_F(SqliteStoreQueue, a_locked_database_refuses_all_that_is_queued_after_one_wait) {
  sqlite::Database other(files_.file(), "", sqlite::Database::Access::read_write);
  ASSERT_TRUE(other.run("BEGIN IMMEDIATE"));
  std::vector<std::shared_ptr<Outcome>> all;
  for (int i = 0; i < 300; ++i) all.push_back(begin_append("queued"));  // five batches
  const auto began = net::Clock::now();
  ASSERT_TRUE(all_ended(all));  // within run_limit: two waits of busy_ms would be too long
  EXPECT_LT(net::Clock::now() - began, 4500ms);
  for (const auto& each : all) EXPECT_FALSE(each->stored);
  ASSERT_TRUE(other.run("ROLLBACK"));
  append("after");
  EXPECT_TRUE(store_->health().ok);
  EXPECT_EQ(claim().events.size(), 2u);
}

TEST_F(SqliteStoreQueue, an_append_that_nobody_waits_for_any_more_is_not_begun) {
  hold_commit();
  net::asio::cancellation_signal signal;
  begin_append("left", &signal, true);
  signal.emit(net::asio::cancellation_type::terminal);
  io_.restart();
  io_.poll();
  const auto last = begin_append("last");
  ASSERT_TRUE(all_ended({held_, last}));
  EXPECT_EQ(claim_bodies(), (std::vector<std::string>{"first", "held", "last"}));
}

TEST_F(SqliteStoreQueue, an_append_left_when_it_has_begun_gives_its_claim_back) {
  disk_.sync_delay = 40ms;
  const int before = disk_.syncs;
  net::asio::cancellation_signal signal;
  begin_append("left", &signal, true);
  while (disk_.syncs == before) std::this_thread::yield();
  signal.emit(net::asio::cancellation_type::terminal);
  io_.restart();
  io_.poll();
  ASSERT_TRUE(all_ended({begin_append("last")}));
  EXPECT_EQ(claim_bodies(), (std::vector<std::string>{"first", "left", "last"}));
}

TEST_F(SqliteStoreQueue, appends_above_the_limit_are_refused_at_once_and_health_says_so) {
  open_with(100'000);
  hold_commit();
  std::vector<std::shared_ptr<Outcome>> queued, refused;
  for (int i = 0; i < 4; ++i)
    queued.push_back(begin_append(std::string(10'000, 'x')));  // it is in a field, too
  for (int i = 0; i < 4; ++i) refused.push_back(begin_append(std::string(50'000, 'x')));
  for (const auto& each : refused) EXPECT_TRUE(each->ended && !each->stored);
  for (const auto& each : queued) EXPECT_FALSE(each->ended);
  EXPECT_FALSE(store_->health().ok);
  EXPECT_NE(store_->health().reason.find("too slow"), std::string::npos) << store_->health().reason;
  disk_.sync_delay = 0ms;
  ASSERT_TRUE(all_ended(queued));
  for (const auto& each : queued) EXPECT_TRUE(each->stored);
  EXPECT_TRUE(store_->health().ok) << store_->health().reason;
  append(std::string(200'000, 'x'));  // alone, whatever its size
}

TEST_F(SqliteStoreQueue, what_changes_nothing_does_not_tell_that_the_disk_works_again) {
  disk_.fault = Fault::full;
  ASSERT_FALSE(run(io_, store_->append(new_event("hook", "refused"))));
  EXPECT_FALSE(run(io_, store_->expire(wall_time(start_ms))));
  EXPECT_FALSE(store_->health().ok);
  disk_.heal();
  EXPECT_TRUE(run(io_, store_->expire(wall_time(start_ms))));
  EXPECT_TRUE(store_->health().ok) << "it wrote something";
}

TEST_F(SqliteStoreQueue, a_settlement_that_the_database_refuses_for_a_moment_is_not_lost) {
  const EventId id = claim().events.at(0).event.id;
  sqlite::Database other(files_.file(), "", sqlite::Database::Access::read_write);
  ASSERT_TRUE(other.run("CREATE TRIGGER no BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'no'); END"));
  store_->settle_later(settlement(id, Verdict::done));
  ASSERT_TRUE(eventually([&] { return !store_->health().ok; }));
  append("another");  // what can be done is done
  ASSERT_TRUE(eventually([&] {
    other.forget_failure();
    return other.run("DROP TRIGGER no");
  }));
  EXPECT_TRUE(eventually([&] { return state_of(id) == State::done; }));
}

TEST_F(SqliteStoreQueue, a_settlement_that_cannot_be_done_is_given_up_and_its_event_is_due_again) {
  const EventId id = claim().events.at(0).event.id;
  sqlite::Database other(files_.file(), "", sqlite::Database::Access::read_write);
  ASSERT_TRUE(other.run("CREATE TRIGGER no BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'no'); END"));
  run(io_, store_->settle(settlement(id, Verdict::done)));
  EXPECT_EQ(claim().events.size(), 1u);
}

}  // namespace
}  // namespace rockdove::inbox
