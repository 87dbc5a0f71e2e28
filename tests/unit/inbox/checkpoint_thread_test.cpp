// The copy from the log into the database: beside the commits, and nothing is let go that is not safe there.
#include "inbox/sqlite_store.hpp"
#include "support/failing_vfs.hpp"
#include "support/inbox_files.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

namespace rockdove::inbox {
namespace {

using test::run;
using namespace std::chrono_literals;

class CheckpointThread : public testing::Test {
 protected:
  static constexpr std::size_t body_bytes = 1024 * 1024;

  std::unique_ptr<Store> open(const test::InboxFiles& files, const std::string& vfs) {
    SqliteOptions options = files.options();
    options.vfs = vfs;
    return open_sqlite_store(io_.get_executor(), options);
  }
  /// As many at a time as it takes for commits to go on while something is copied.
  void append(Store& store, int count) {
    static constexpr int together = 4;
    const auto some = [this](Store& into, int first, int last) -> Awaitable<void> {
      for (int i = first; i < last; ++i) {
        NewEvent event = test::new_event("hook", std::to_string(i) + std::string(body_bytes, 'x'));
        const auto appended = co_await into.append(std::move(event));
        if (appended) acked_.push_back(appended->id);
      }
    };
    int ended = 0;
    for (int each = 0; each < together; ++each)
      net::asio::co_spawn(io_, some(store, count * each / together, count * (each + 1) / together),
                          [&ended](std::exception_ptr error) { ended += error ? 0 : 1; });
    ASSERT_TRUE(test::run_until(io_, [&] { return ended == together; }));
  }
  /// After a power cut now.
  void expect_all_acked() {
    test::InboxFiles after_cut;
    for (const char* part : {"", "-wal"})
      if (exists(std::filesystem::path(files_.file().string() + part)))
        disk_.copy_synced(files_.file().string() + part, after_cut.file().string() + part);
    const auto store = open(after_cut, "");
    for (const EventId id : acked_) {
      const auto detail = run(io_, store->look_up(id));
      ASSERT_TRUE(detail) << id << ": " << store->health().reason;
      ASSERT_GT(detail->request.body.size(), body_bytes) << id;
    }
  }

  test::FailingVfs disk_;
  test::InboxFiles files_;
  net::IoContext io_;
  std::vector<EventId> acked_;
};

TEST_F(CheckpointThread, what_a_failed_fsync_of_the_database_has_lost_is_still_in_the_log) {
  const auto store = open(files_, disk_.name());
  disk_.sync_delay = 5ms;
  disk_.next_sync_loses = true;
  append(*store, 80);
  EXPECT_FALSE(disk_.next_sync_loses);
  ASSERT_TRUE(test::eventually([&] { return store->health().ok; })) << store->health().reason;
  append(*store, 4);  // over the beginning of the log
  EXPECT_EQ(acked_.size(), 84u);
  expect_all_acked();
}

TEST_F(CheckpointThread, leaves_the_log_to_the_next_start_if_commits_fail_until_the_end) {
  auto store = open(files_, disk_.name());
  disk_.sync_delay = 5ms;
  disk_.fault_after_loss = test::FailingVfs::Fault::sync_error;
  disk_.next_sync_loses = true;
  append(*store, 30);
  EXPECT_FALSE(disk_.next_sync_loses);
  EXPECT_FALSE(store->health().ok);
  disk_.heal();
  store.reset();
  EXPECT_FALSE(acked_.empty());
  expect_all_acked();
}

}  // namespace
}  // namespace rockdove::inbox
