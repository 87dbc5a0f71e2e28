// What the embedded store does about records that have rotted and about a salvage that did not come to its
// end.
#include "inbox/damaged_reader.hpp"
#include "inbox/schema.hpp"
#include "unit/inbox/store_fixture.hpp"

#include <filesystem>
#include <fstream>

namespace rockdove::inbox {
namespace {

namespace fs = std::filesystem;

class SqliteStoreSalvage : public StoreFixture {
 protected:
  fs::path beside(const std::string& suffix) const { return files_.file().string() + suffix; }
  bool has_file(const std::string& part) {
    for (const auto& entry : fs::directory_iterator(files_.directory()))
      if (entry.path().filename().string().find(part) != std::string::npos) return true;
    return false;
  }
  void change(const std::string& sql) {
    sqlite::Database database(files_.file(), "", sqlite::Database::Access::read_write);
    set_up_damaged(database);  // waits for locks
    ASSERT_TRUE(database.run(sql)) << database.message();
  }
  /// Has the next start find that the closed database is damaged.
  void damage_tallies() {
    std::int64_t offset = 0;
    {
      sqlite::Database database(files_.file(), "", sqlite::Database::Access::read_write);
      offset = *database.number("SELECT pgoffset FROM dbstat WHERE name='tallies' AND pagetype='leaf'");
    }
    std::fstream file(files_.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << std::string(8192, '\xff');
  }
  NewEvent keyed(std::string key) {
    NewEvent event = new_event("hook", "body of " + key);
    event.dedupe_key = std::move(key);
    event.dedupe_until = wall_time(start_ms + 86'400'000);
    return event;
  }
  bool eventually_quarantined(EventId id) {
    return test::eventually([&] { return state_of(id) == State::quarantined; });
  }
};

TEST_F(SqliteStoreSalvage, a_crash_between_any_two_of_its_last_steps_leaves_what_was_salvaged) {
  test::InboxFiles kept;
  for (int i = 0; i < 50; ++i) append(std::string(3000, 'a'));
  for (const char* part : {"", "-wal", "-shm"})  // as a crash leaves them
    fs::copy(beside(part), kept.file().string() + part);
  store_.reset();
  for (const char* part : {"", "-wal", "-shm"}) fs::remove(beside(part));
  open();
  append("salvaged");
  store_.reset();
  fs::copy(files_.file(), kept.file().string() + ".salvaged");
  const std::vector<const char*> parts{"", "-wal", "-shm"};
  for (std::size_t moved = 0; moved <= parts.size(); ++moved) {
    SCOPED_TRACE(moved);
    for (const auto& entry : fs::directory_iterator(files_.directory())) fs::remove(entry.path());
    fs::copy(kept.file().string() + ".salvaged", beside(".salvaged"));
    std::ofstream(beside(".salvaging")) << "half";
    for (std::size_t i = 0; i < parts.size(); ++i)
      fs::copy(kept.file().string() + parts[i],
               beside(i < moved ? std::string(".corrupt-x") + parts[i] : parts[i]));
    open();
    EXPECT_EQ(claim_bodies(), std::vector<std::string>{"salvaged"});
    EXPECT_FALSE(has_file(".salvag"));
    EXPECT_TRUE(moved == parts.size() || has_file(".corrupt-2")) << "nothing of the old one is thrown away";
    store_.reset();
  }
}

TEST_F(SqliteStoreSalvage, a_crash_before_all_was_taken_over_changes_nothing) {
  append("body");
  store_.reset();
  std::ofstream(beside(".salvaging")) << "half";
  open();
  EXPECT_EQ(claim_bodies(), std::vector<std::string>{"body"});
  EXPECT_FALSE(has_file(".salvag"));
}

TEST_F(SqliteStoreSalvage, the_duplicate_of_an_event_that_has_rotted_is_stored) {
  const EventId first = append(keyed("k")).id;
  change("UPDATE requests SET body = x'00'");
  EXPECT_TRUE(claim().events.empty());
  ASSERT_TRUE(eventually_quarantined(first));
  const Appended second = append(keyed("k"));
  EXPECT_FALSE(second.duplicate);
  const Appended third = append(keyed("k"));
  EXPECT_TRUE(third.duplicate);
  EXPECT_EQ(third.id, second.id);
}

TEST_F(SqliteStoreSalvage, the_duplicate_of_an_event_that_is_gone_is_stored) {
  const EventId first = append(keyed("k")).id;
  change("DELETE FROM events; DELETE FROM requests");
  const Appended second = append(keyed("k"));
  EXPECT_FALSE(second.duplicate);
  EXPECT_NE(second.id, first);
}

TEST_F(SqliteStoreSalvage, keys_of_events_that_were_lost_are_not_taken_over) {
  std::vector<EventId> ids;
  for (const char* key : {"whole", "without request", "lost"}) ids.push_back(append(keyed(key)).id);
  change("DELETE FROM requests WHERE id>" + std::to_string(ids[0]) +
         "; DELETE FROM events WHERE id=" + std::to_string(ids[2]));
  store_.reset();
  damage_tallies();
  open();
  ASSERT_TRUE(has_file(".corrupt-"));
  EXPECT_TRUE(append(keyed("whole")).duplicate);
  EXPECT_FALSE(append(keyed("without request")).duplicate);
  EXPECT_FALSE(append(keyed("lost")).duplicate);
}

TEST_F(SqliteStoreSalvage, an_event_of_an_unknown_state_is_quarantined_and_kept_for_its_time) {
  const EventId id = append("body").id;
  change("UPDATE events SET state=9");
  store_.reset();
  damage_tallies();
  open();
  ASSERT_TRUE(has_file(".corrupt-"));
  using namespace std::chrono;
  EXPECT_EQ(*run(io_, store_->expire(time_point_cast<milliseconds>(system_clock::now()))), 0u);
  EXPECT_EQ(state_of(id), State::quarantined);
  EXPECT_FALSE(run(io_, store_->look_up(id))->event.reason.empty());
}

TEST_F(SqliteStoreSalvage, salvaged_events_are_due_whatever_the_clock_says) {
  append("body", start_ms);
  store_.reset();
  damage_tallies();
  open();
  EXPECT_EQ(claim(start_ms - 3'600'000).events.size(), 1u);
}

TEST_F(SqliteStoreSalvage, a_claim_that_finds_rotten_records_has_the_next_ones_looked_for_soon) {
  std::vector<EventId> ids;
  for (int i = 0; i < 4; ++i) {
    NewEvent event = new_event("hook", std::to_string(i));
    event.ordered = true;
    ids.push_back(append(event).id);
  }
  change("UPDATE requests SET body = x'00' WHERE id<" + std::to_string(ids[3]));
  for (int i = 0; i < 3; ++i) {
    const Claimed claimed = claim();
    EXPECT_TRUE(claimed.events.empty());
    ASSERT_TRUE(claimed.next_due) << i;
    EXPECT_LE(*claimed.next_due, wall_time(start_ms + 1'000'000 + 1'000));
    ASSERT_TRUE(eventually_quarantined(ids[static_cast<std::size_t>(i)]));
  }
  EXPECT_EQ(claim_bodies(), std::vector<std::string>{"3"});
}

TEST_F(SqliteStoreSalvage, what_cannot_be_read_because_of_a_lock_is_not_taken_for_lost) {
  const fs::path path = files_.directory() / "locked.db";
  sqlite::Database writer(path, "", sqlite::Database::Access::create);
  ASSERT_TRUE(writer.run("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(1), (2)"));
  sqlite::Database reader(path, "", sqlite::Database::Access::read_write);
  ASSERT_EQ(reader.number("SELECT count(*) FROM t"), 2);
  ASSERT_TRUE(writer.run("BEGIN EXCLUSIVE"));
  int rows = 0;
  const auto count = [&](sqlite::Statement&) { return ++rows > 0; };
  EXPECT_EQ(read_damaged(reader, "t", "id", "id", count), 0);
  EXPECT_EQ(reader.trouble(), sqlite::Trouble::busy);
  EXPECT_FALSE(forget_damage(reader));
  ASSERT_TRUE(writer.run("COMMIT"));
  reader.forget_failure();
  EXPECT_EQ(read_damaged(reader, "t", "id", "id", count), 0);
  EXPECT_EQ(rows, 2);
}

}  // namespace
}  // namespace rockdove::inbox
