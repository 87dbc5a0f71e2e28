#include "egress/lingxing_gates.hpp"

#include "net/task_group.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace rockdove::egress {
namespace {

using namespace std::chrono_literals;

class LingxingGatesTest : public testing::Test {
 protected:
  void TearDown() override {
    ASSERT_TRUE(test::run_until(io_, [&] {
      places_.clear();
      return tasks_.empty();
    }));
    EXPECT_EQ(gates().size(), 0U) << "a gate is left";
    EXPECT_EQ(gates().waiting(), 0U);
  }

  LingxingGates& gates() {
    if (!gates_) gates_.emplace(io_.get_executor(), options_);
    return *gates_;
  }
  /// A call that stays until it is told to leave.
  net::TaskGroup::Task come(std::string name, std::string path = "/a", net::Duration limit = 2s) {
    const auto task = tasks_.spawn(enter(std::move(name), std::move(path), limit));
    settle_down();
    return task;
  }
  void leave(const std::string& name) {
    test::on_loop(io_, [&] { places_.erase(name); });
    settle_down();
  }
  std::string inside() const {
    std::string names;
    for (const auto& [name, place] : places_) names += name;
    return names;
  }
  /// Does all that can be done without waiting for the time, however slow the machine is.
  void settle_down() {
    io_.restart();
    while (io_.poll() > 0) continue;
  }

  net::IoContext io_;
  LingxingGates::Options options_;
  std::optional<LingxingGates> gates_;
  std::map<std::string, std::unique_ptr<LingxingGates::Place>> places_;
  std::string order_, refused_;
  net::TaskGroup tasks_{io_.get_executor(), net::abort_on_error};

 private:
  Awaitable<void> enter(std::string name, std::string path, net::Duration limit) {
    auto place = co_await gates().enter(path, limit);
    if (!place) {
      EXPECT_EQ(place.error(), Error::queue_full);
      refused_ += name;
      co_return;
    }
    order_ += name;
    places_[name] = std::move(*place);
  }
};

TEST_F(LingxingGatesTest, lets_calls_of_one_path_through_one_at_a_time_in_their_order) {
  for (const char* name : {"1", "2", "3"}) come(name);
  EXPECT_EQ(inside(), "1");
  EXPECT_EQ(gates().waiting(), 2U);
  leave("1");
  EXPECT_EQ(inside(), "2");
  come("4");
  leave("2");
  EXPECT_EQ(inside(), "3");
  leave("3");
  EXPECT_EQ(order_, "1234");
}

TEST_F(LingxingGatesTest, of_different_paths_do_not_know_each_other) {
  come("1", "/a");
  come("2", "/b");
  come("3", "/a/");
  EXPECT_EQ(inside(), "123");
  EXPECT_EQ(gates().size(), 3U);
}

TEST_F(LingxingGatesTest, let_as_many_through_as_the_bucket_of_the_path_holds) {
  options_.buckets = {{"/wide", 3}, {"/closed", 0}};
  for (const char* name : {"1", "2", "3", "4"}) come(name, "/wide");
  EXPECT_EQ(inside(), "123");
  come("5", "/closed");
  EXPECT_EQ(inside(), "1235") << "a bucket of none would let nobody through, ever";
}

TEST_F(LingxingGatesTest, have_a_line_of_bounded_length) {
  options_.waiting = 2;
  for (const char* name : {"1", "2", "3", "4"}) come(name);
  EXPECT_EQ(refused_, "4");
  EXPECT_EQ(gates().waiting(), 2U);
}

TEST_F(LingxingGatesTest, keep_nobody_waiting_for_longer_than_its_limit) {
  come("1");
  come("2", "/a", 30ms);
  come("3");
  come("4", "/a", 0ms);
  EXPECT_EQ(refused_, "4");
  ASSERT_TRUE(test::run_until(io_, [&] { return refused_ == "42"; }));
  leave("1");
  EXPECT_EQ(inside(), "3");
}

TEST_F(LingxingGatesTest, pass_a_place_on_that_its_owner_goes_without_taking) {
  come("1");
  auto second = come("2");
  come("3");
  test::on_loop(io_, [&] {
    second.cancel();
    places_.clear();  // 2 is still in line, and does not go on to take its place
  });
  settle_down();
  EXPECT_EQ(order_, "13");
}

TEST_F(LingxingGatesTest, forget_who_leaves_the_line) {
  come("1");
  auto second = come("2");
  come("3");
  test::on_loop(io_, [&] { second.cancel(); });
  settle_down();
  EXPECT_EQ(gates().waiting(), 1U);
  leave("1");
  EXPECT_EQ(order_, "13");
}

}  // namespace
}  // namespace rockdove::egress
