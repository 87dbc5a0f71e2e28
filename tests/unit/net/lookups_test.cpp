#include "net/lookups.hpp"

#include "support/run.hpp"

#include <gtest/gtest.h>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace rockdove::net {
namespace {

using test::run_until;

/// A lookup function whose answers for some names the test holds back. Shared with threads that may outlive
/// it.
class Names : public std::enable_shared_from_this<Names> {
 public:
  Lookups::Function function() {
    return [self = shared_from_this()](const std::string& host) { return self->answer(host); };
  }
  void hold(const std::string& host) {
    const std::lock_guard lock(mutex_);
    held_.insert(host);
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_.clear();
    news_.notify_all();
  }
  /// Waits until so many calls for `host` have begun since the start.
  bool asked(const std::string& host, std::ptrdiff_t times) {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, test::run_limit, [&] { return std::ranges::count(calls_, host) >= times; });
  }
  std::ptrdiff_t calls(const std::string& host) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(calls_, host);
  }

 private:
  Lookups::Found answer(const std::string& host) {
    std::unique_lock lock(mutex_);
    calls_.push_back(host);
    news_.notify_all();
    news_.wait(lock, [&] { return !held_.contains(host); });
    if (host == "unknown") return make_error_code(asio::error::host_not_found);
    return std::vector<Address>{asio::ip::make_address("192.0.2.1")};
  }

  std::mutex mutex_;
  std::condition_variable news_;
  std::set<std::string> held_;
  std::vector<std::string> calls_;
};

class ALookup : public testing::Test {
 protected:
  using TicketPtr = std::unique_ptr<Lookups::Ticket>;

  void start(const Lookups::Options& options = {}) {
    lookups_ = std::make_unique<Lookups>(io_.get_executor(), options, names_->function());
  }
  void TearDown() override { names_->release(); }

  /// Null if it was turned away.
  TicketPtr find(const std::string& host) {
    auto ticket = lookups_->find(host, [this, host](const Lookups::Found& found) {
      told_.push_back(host + (found ? " " + found->at(0).to_string() : ": " + found.error().message()));
    });
    if (ticket) return std::move(*ticket);
    EXPECT_EQ(ticket.error(), Error::unavailable);
    return nullptr;
  }
  bool told(std::size_t count) {
    return run_until(io_, [&] { return told_.size() >= count; });
  }

  IoContext io_;
  const std::shared_ptr<Names> names_ = std::make_shared<Names>();
  std::unique_ptr<Lookups> lookups_;
  std::vector<std::string> told_;
};

TEST_F(ALookup, brings_addresses_or_the_error) {
  start();
  const auto one = find("a.example");
  ASSERT_TRUE(told(1));
  EXPECT_EQ(told_[0], "a.example 192.0.2.1");
  const auto other = find("unknown");
  ASSERT_TRUE(told(2));
  EXPECT_NE(told_[1].find("not found"), std::string::npos) << told_[1];
}

TEST_F(ALookup, of_a_dead_name_holds_up_no_other) {
  start();
  names_->hold("dead");
  const auto dead = find("dead");
  ASSERT_TRUE(names_->asked("dead", 1));
  for (const char* name : {"a", "b", "c"}) {
    const auto live = find(name);
    EXPECT_TRUE(told(told_.size() + 1)) << name;
  }
  names_->release();
  ASSERT_TRUE(told(4));
  EXPECT_EQ(told_[3], "dead 192.0.2.1");
}

TEST_F(ALookup, is_one_for_all_who_ask_for_the_same_name) {
  start();
  names_->hold("a");
  const auto first = find("a"), second = find("a");
  auto third = find("a");
  ASSERT_TRUE(names_->asked("a", 1));
  third.reset();
  names_->release();
  ASSERT_TRUE(told(2));
  EXPECT_EQ(names_->calls("a"), 1);
  test::run_for(io_, std::chrono::milliseconds(5));
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(ALookup, that_everybody_gave_up_is_begun_anew_on_half_of_the_threads_at_most) {
  start();
  names_->hold("dead");
  for (std::ptrdiff_t i = 1; i <= 5; ++i) {
    const auto given_up = find("dead");
    ASSERT_TRUE(names_->asked("dead", std::min<std::ptrdiff_t>(i, 2)));
  }
  const auto live = find("live");
  ASSERT_TRUE(told(1));
  EXPECT_EQ(told_[0], "live 192.0.2.1");
  EXPECT_EQ(names_->calls("dead"), 2);
  const auto again = find("dead");  // has no thread of its own, but is told with the others
  names_->release();
  ASSERT_TRUE(told(2));
  EXPECT_EQ(told_[1], "dead 192.0.2.1");
}

TEST_F(ALookup, is_turned_away_when_too_many_names_wait) {
  Lookups::Options options;
  options.threads = options.waiting = 1;
  start(options);
  names_->hold("a");
  const auto running = find("a");
  ASSERT_TRUE(names_->asked("a", 1));
  auto waiting = find("b");
  EXPECT_TRUE(waiting);
  EXPECT_FALSE(find("c"));
  EXPECT_TRUE(find("b")) << "it waits already";
  waiting.reset();  // leaves its place to others
  const auto next = find("c");
  EXPECT_TRUE(next);
  names_->release();
  ASSERT_TRUE(told(2));
  EXPECT_EQ(told_[1], "c 192.0.2.1");
  EXPECT_EQ(names_->calls("b"), 0);
}

TEST_F(ALookup, that_hangs_holds_up_nobodys_end) {
  names_->hold("dead");
  {
    IoContext io;
    Lookups lookups(io.get_executor(), {}, names_->function());
    const auto ticket = lookups.find("dead", [](const Lookups::Found&) { FAIL(); });
    ASSERT_TRUE(ticket);
    ASSERT_TRUE(names_->asked("dead", 1));
  }
  names_->release();  // its answer finds nobody
}

TEST_F(ALookup, asks_the_system) {
  std::optional<Lookups::Found> found;
  const auto ticket =
      Lookups::of(io_).find("localhost", [&](const Lookups::Found& answer) { found = answer; });
  ASSERT_TRUE(run_until(io_, [&] { return found.has_value(); }));
  ASSERT_TRUE(*found);
  EXPECT_TRUE((*found)->at(0).is_loopback());
}

}  // namespace
}  // namespace rockdove::net
