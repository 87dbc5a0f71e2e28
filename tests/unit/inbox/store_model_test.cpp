// The embedded store must do what a store in memory does, whatever is done to both.
#include "inbox/sqlite_store.hpp"
#include "net/crypto.hpp"
#include "support/inbox_files.hpp"
#include "support/memory_store.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <sstream>

namespace rockdove::inbox {
namespace {

using test::run;
using test::wall_time;
using Verdict = Settlement::Verdict;

std::string text_of(const Event& event) {
  std::ostringstream text;
  text << event.id << ' ' << event.route << ' ' << event.tunnel << ' ' << state_name(event.state) << ' '
       << event.received_at.time_since_epoch().count() << ' '
       << (event.state == State::waiting ? event.due_at.time_since_epoch().count() : 0) << ' '
       << event.first_attempt_at.time_since_epoch().count() << ' ' << event.attempts << ' ' << event.replay
       << ' ' << event.ordered << ' ' << event.order_key << ' ' << event.reason << ' ' << event.method << ' '
       << event.target;
  return text.str();
}

std::string text_of(const StoredRequest& request) {
  std::ostringstream text;
  text << request.method << ' ' << request.target << ' ' << request.has_body << ' ' << request.body << ' '
       << request.request_id << ' ' << request.peer << ' ' << request.tls << ' ' << request.upstream << ' '
       << request.host;
  for (const http::Fields::Field field : request.fields) text << ' ' << field.name << '=' << field.value;
  return text.str();
}

std::string text_of(const Attempt& attempt) {
  std::ostringstream text;
  text << attempt.number << ' ' << attempt.started_at.time_since_epoch().count() << ' '
       << attempt.took.count() << ' ' << attempt.agent << ' ' << attempt.status << ' ' << attempt.error << ' '
       << attempt.type << ' ' << attempt.body;
  return text.str();
}

std::string text_of(const Claimed& claimed) {
  std::ostringstream text;
  for (const DueEvent& due : claimed.events)
    text << text_of(due.event) << '\n' << text_of(due.request) << '\n';
  text << "next " << (claimed.next_due ? claimed.next_due->time_since_epoch().count() : -1);
  return text.str();
}

std::string text_of(const EventDetail& detail) {
  std::string text = text_of(detail.event) + '\n' + text_of(detail.request);
  for (const Attempt& attempt : detail.attempts) text += '\n' + text_of(attempt);
  return text;
}

std::string text_of(const Appended& appended) {
  std::ostringstream text;
  text << appended.id << ' ' << appended.duplicate << ' ' << state_name(appended.state) << ' '
       << appended.claimed;
  return text.str();
}

std::string text_of(std::size_t count) {
  return std::to_string(count);
}

template <class T>
std::string text_of(const Result<T>& result) {
  return result ? text_of(*result) : std::string(error_name(result.error()));
}

/// Does the same to both stores, and compares what they say.
class Twins {
 public:
  explicit Twins(std::uint64_t seed) : random_(seed), memory_(io_.get_executor(), retention()) { open(); }

  void step() {
    switch (pick(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: append(); break;
      case 5:
      case 6: claim(); break;
      case 7:
      case 8:
      case 9:
      case 10: settle(); break;
      case 11: replay(); break;
      case 12:
        if (pick(6) == 0) purge();
        break;
      case 13:
        if (pick(3) == 0) expire();
        break;
      case 14: list(); break;
      case 15: look_up(); break;
      case 16: pause(); break;
      case 17: overview(); break;
      case 18:
        if (pick(10) == 0) reopen();
        break;
      default: now_ms_ += static_cast<std::int64_t>(pick(60'000)) - (pick(10) == 0 ? 90'000 : 0); break;
    }
  }
  void finish() {
    reopen();
    overview();
    list_all(Filter{});
  }

 private:
  static Retention retention() {
    Retention retention;
    retention.done_age = std::chrono::minutes(10);
    retention.dead_age = std::chrono::minutes(30);
    return retention;
  }

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  std::string one_of(std::initializer_list<const char*> all) { return *(all.begin() + pick(all.size())); }
  WallTime now() const { return wall_time(now_ms_); }

  void open() {
    SqliteOptions options = files_.options();
    options.linger = std::chrono::milliseconds(0);
    options.retention = retention();
    sqlite_ = open_sqlite_store(io_.get_executor(), options);
  }

  template <class T>
  void same(const char* what, const T& durable, const T& model) {
    ASSERT_EQ(text_of(durable), text_of(model)) << what;
  }

  void append() {
    NewEvent event = test::new_event(one_of({"a", "b", "c"}), "body " + std::to_string(pick(5)), now_ms_);
    event.tunnel = one_of({"t", "u"});
    event.claim = pick(3) == 0;
    event.request.tls = pick(2) == 0;
    if (pick(3) == 0) {
      event.dedupe_key = std::to_string(pick(30));
      event.dedupe_until = now() + std::chrono::minutes(5);
    }
    if (pick(3) == 0) {
      event.ordered = true;
      event.order_key = one_of({"", "k", "l"});
    }
    const auto durable = run(io_, sqlite_->append(event));
    const auto model = run(io_, memory_.append(event));
    same("append", durable, model);
    if (durable && !durable->duplicate) ids_.push_back(durable->id);
    if (durable && durable->claimed) held_.push_back(durable->id);
  }

  void claim() {
    ClaimRequest request;
    request.route = one_of({"a", "b", "c", "d"});
    request.now = now();
    request.events_max = pick(4);
    request.bytes_max = pick(4) == 0 ? 0 : 1'000'000;
    const auto durable = run(io_, sqlite_->claim(request));
    const auto model = run(io_, memory_.claim(request));
    same("claim", durable, model);
    if (durable)
      for (const DueEvent& due : durable->events) held_.push_back(due.event.id);
  }

  void settle() {
    if (held_.empty()) return;
    const std::size_t at = pick(held_.size());
    Settlement settlement;
    settlement.id = held_[at];
    settlement.verdict = static_cast<Verdict>(pick(4));
    settlement.now = now();
    settlement.due_at = now() + std::chrono::seconds(pick(100));
    settlement.reason = settlement.verdict == Verdict::dead ? one_of({"gave up", "rejected"}) : "";
    if (settlement.verdict != Verdict::release && pick(8) != 0) {
      Attempt attempt;
      attempt.started_at = now() - std::chrono::seconds(1);
      attempt.took = std::chrono::milliseconds(pick(1000));
      attempt.agent = "office";
      attempt.status = pick(3) == 0 ? 0 : 500;
      attempt.error = attempt.status == 0 ? "link_lost" : "";
      attempt.type = "text/plain";
      attempt.body = std::to_string(pick(1000));
      settlement.attempt = attempt;
    }
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
    memory_.settle_later(settlement);
    if (pick(2) == 0) sqlite_->settle_later(std::move(settlement));
    else run(io_, sqlite_->settle(std::move(settlement)));
    // What only reads may come before what has only been handed in.
    run(io_, sqlite_->set_paused("nothing", ""));
  }

  void replay() {
    std::vector<EventId> ids;
    for (auto count = pick(4); count > 0 && !ids_.empty(); --count) ids.push_back(ids_[pick(ids_.size())]);
    ids.push_back(12345);
    same("replay", run(io_, sqlite_->replay(ids, now())), run(io_, memory_.replay(ids, now())));
  }

  Filter filter() {
    Filter filter;
    if (pick(3) == 0) filter.route = one_of({"a", "b"});
    if (pick(3) == 0) filter.tunnel = one_of({"t", "u"});
    for (int state = 0; state < state_count; ++state)
      if (pick(4) == 0) filter.states.push_back(static_cast<State>(state));
    if (pick(4) == 0) filter.text = one_of({"sig-body 1", "body 3", "x=1", "nowhere"});
    if (pick(4) == 0 && !ids_.empty()) filter.from = ids_[pick(ids_.size())];
    if (pick(4) == 0 && !ids_.empty()) filter.until = ids_[pick(ids_.size())];
    return filter;
  }

  void purge() {
    const Filter which = filter();
    std::size_t durable = 0;
    for (;;) {
      const auto some = run(io_, sqlite_->purge(which));
      ASSERT_TRUE(some);
      if (*some == 0) break;
      durable += *some;
    }
    std::size_t model = 0;
    for (;;) {  // one that moves up in its order may match only now
      const auto some = run(io_, memory_.purge(which));
      if (*some == 0) break;
      model += *some;
    }
    same("purge", durable, model);
  }

  void expire() { same("expire", run(io_, sqlite_->expire(now())), run(io_, memory_.expire(now()))); }

  void list() { list_all(filter()); }

  void list_all(const Filter& which) {
    PageRequest request;
    request.filter = which;
    request.limit = 1 + pick(7);
    request.oldest_first = pick(2) == 0;
    std::vector<std::string> durable, model;
    for (Store* const store : {static_cast<Store*>(sqlite_.get()), static_cast<Store*>(&memory_)}) {
      auto& into = store == &memory_ ? model : durable;
      request.cursor = 0;
      do {
        const auto page = run(io_, store->list(request));
        ASSERT_TRUE(page);
        ASSERT_LE(page->events.size(), request.limit);
        for (const Event& event : page->events) into.push_back(text_of(event));
        request.cursor = page->next;
      } while (request.cursor != 0);
    }
    ASSERT_EQ(durable, model) << "list";
  }

  void look_up() {
    const EventId id = ids_.empty() || pick(10) == 0 ? 77 : ids_[pick(ids_.size())];
    same("look_up", run(io_, sqlite_->look_up(id)), run(io_, memory_.look_up(id)));
    same("last_answer", run(io_, sqlite_->last_answer(id)), run(io_, memory_.last_answer(id)));
  }

  void pause() {
    const std::string route = one_of({"a", "b", "c"});
    const std::string reason = one_of({"", "maintenance"});
    ASSERT_TRUE(run(io_, sqlite_->set_paused(route, reason)));
    ASSERT_TRUE(run(io_, memory_.set_paused(route, reason)));
    ASSERT_EQ(*run(io_, sqlite_->paused()), *run(io_, memory_.paused()));
  }

  void overview() {
    const auto tallies = [](const Store& store) {
      std::vector<std::string> all;
      for (const Tally& tally : store.tallies())
        all.push_back(tally.route + ' ' + tally.tunnel + ' ' + std::string(state_name(tally.state)) + ' ' +
                      std::to_string(tally.events));
      return all;
    };
    ASSERT_EQ(tallies(*sqlite_), tallies(memory_));
    const auto backlogs = [this](Store& store) {
      std::vector<std::string> all;
      for (const Backlog& each : *run(io_, store.backlogs()))
        all.push_back(each.route + ' ' + each.tunnel + ' ' +
                      std::to_string(each.oldest.time_since_epoch().count()));
      return all;
    };
    ASSERT_EQ(backlogs(*sqlite_), backlogs(memory_));
    bytes_agree();
  }

  /// The model counts bytes in its own way.
  void bytes_agree() {
    std::uint64_t of_tallies = 0, of_events = 0;
    for (const Tally& tally : sqlite_->tallies()) of_tallies += tally.bytes;
    PageRequest request;
    request.limit = 1000;
    do {
      const auto page = run(io_, sqlite_->list(request));
      for (const Event& event : page->events) of_events += event.bytes;
      request.cursor = page->next;
    } while (request.cursor != 0);
    ASSERT_EQ(of_tallies, of_events);
  }

  void reopen() {
    sqlite_.reset();
    open();
    for (const EventId id : held_) {
      Settlement release;
      release.id = id;
      memory_.settle_later(release);
    }
    held_.clear();
  }

  std::mt19937_64 random_;
  net::IoContext io_;
  test::InboxFiles files_;
  std::unique_ptr<Store> sqlite_;
  test::MemoryStore memory_;
  std::int64_t now_ms_ = test::start_ms;
  std::vector<EventId> ids_, held_;
};

TEST(StoreModel, the_embedded_store_does_what_the_one_in_memory_does) {
  const char* const given = std::getenv("ROCKDOVE_SEED");
  std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : net::random_u32();
  for (int round = 0; round < (given ? 1 : 4); ++round, ++seed) {
    SCOPED_TRACE("ROCKDOVE_SEED=" + std::to_string(seed));
    Twins twins(seed);
    for (int step = 0; step < 600 && !testing::Test::HasFatalFailure(); ++step) twins.step();
    if (!testing::Test::HasFatalFailure()) twins.finish();
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace rockdove::inbox
