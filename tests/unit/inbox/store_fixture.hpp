// An embedded store in a directory of its own, and short words for what tests do with it.
#pragma once

#include "inbox/sqlite_store.hpp"
#include "support/inbox_files.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace rockdove::inbox {

using test::new_event;
using test::run;
using test::start_ms;
using test::wall_time;
using Verdict = Settlement::Verdict;
using namespace std::chrono_literals;

class StoreFixture : public testing::Test {
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
    if (verdict != Verdict::release) made.due_at = wall_time(now_ms + 60'000);
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

}  // namespace rockdove::inbox
