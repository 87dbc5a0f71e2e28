#include "server/alert_queue.hpp"

#include "net/task_group.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rockdove::server {
namespace {

using namespace std::chrono_literals;
using Outcome = AlertAnswer::Outcome;

AlertMessage message(const std::string& text) {
  AlertMessage message;
  message.kind = "test";
  message.state = "firing";
  message.text = text;
  return message;
}

/// A queue whose receiver answers as the test says, one answer an attempt, and then well.
class AlertQueueTest : public testing::Test {
 protected:
  ~AlertQueueTest() override {
    if (!queue_) return;
    answer_held_ = false;
    test::on_loop(io_, [this] {
      queue_->stop();
      answered_.notify();
    });
    test::run(io_, tasks_.join());
  }

  AlertQueue& queue() {
    if (queue_) return *queue_;
    queue_.emplace(
        io_.get_executor(), options_, [this](AlertMessagePtr sent) { return post(this, std::move(sent)); },
        [this](const AlertMessage& sent) { arrived_.push_back(sent.text); });
    tasks_.spawn(queue_->run());
    return *queue_;
  }
  static Awaitable<AlertAnswer> post(AlertQueueTest* self, AlertMessagePtr sent) {
    self->tried_.push_back(sent->text);
    while (self->answer_held_) co_await self->answered_.wait();
    AlertAnswer answer;
    answer.outcome = self->outcomes_.empty() ? Outcome::sent : self->outcomes_.front();
    answer.words = "as scripted";
    if (!self->outcomes_.empty()) self->outcomes_.erase(self->outcomes_.begin());
    co_return answer;
  }
  bool until(const std::function<bool()>& done) { return test::run_until(io_, done); }

  using Texts = std::vector<std::string>;
  net::IoContext io_;
  net::TaskGroup tasks_{io_.get_executor(), net::abort_on_error};
  net::Event answered_{io_.get_executor()};
  AlertQueue::Options options_{.name = "x", .messages_max = 3, .backoff = {1ms, 2ms, 5ms, 0ms}};
  std::vector<Outcome> outcomes_;
  bool answer_held_ = false;
  Texts tried_, arrived_;
  std::optional<AlertQueue> queue_;
};

TEST_F(AlertQueueTest, sends_in_order) {
  for (const char* text : {"a", "b", "c"}) queue().push(message(text));
  ASSERT_TRUE(until([&] { return arrived_.size() == 3; }));
  EXPECT_EQ(arrived_, (Texts{"a", "b", "c"}));
  EXPECT_EQ(queue().counters().sent, 3U);
  EXPECT_EQ(queue().waiting(), 0U);
}

TEST_F(AlertQueueTest, tries_again_until_it_is_through_and_keeps_the_order) {
  outcomes_ = {Outcome::again, Outcome::again, Outcome::sent, Outcome::again};
  queue().push(message("a"));
  queue().push(message("b"));
  ASSERT_TRUE(until([&] { return arrived_.size() == 2; }));
  EXPECT_EQ(tried_, (Texts{"a", "a", "a", "b", "b"}));
  EXPECT_EQ(arrived_, (Texts{"a", "b"}));
  EXPECT_EQ(queue().trouble(), "");
}

TEST_F(AlertQueueTest, waits_before_it_tries_again) {
  options_.backoff = {30s, 30s, 30s, 0ms};
  outcomes_ = {Outcome::again};
  queue().push(message("a"));
  ASSERT_TRUE(until([&] { return queue().trouble() == "as scripted"; }));
  queue().push(message("b"));  // which is no reason to hurry
  test::run_for(io_, 50ms);
  EXPECT_EQ(tried_, (Texts{"a"}));
  EXPECT_EQ(queue().waiting(), 2U);
}

TEST_F(AlertQueueTest, drops_what_is_refused_and_goes_on) {
  outcomes_ = {Outcome::rejected};
  queue().push(message("a"));
  queue().push(message("b"));
  ASSERT_TRUE(until([&] { return arrived_.size() == 1; }));
  EXPECT_EQ(arrived_, (Texts{"b"}));
  EXPECT_EQ(queue().counters().rejected, 1U);
}

TEST_F(AlertQueueTest, drops_the_oldest_but_not_the_one_under_way_when_it_is_full) {
  answer_held_ = true;
  for (const char* text : {"a", "b", "c"}) queue().push(message(text));
  ASSERT_TRUE(until([&] { return tried_.size() == 1; }));
  queue().push(message("d"));
  queue().push(message("e"));
  EXPECT_EQ(queue().waiting(), 3U);
  EXPECT_EQ(queue().counters().dropped, 2U);
  answer_held_ = false;
  answered_.notify();
  ASSERT_TRUE(until([&] { return arrived_.size() == 3; }));
  EXPECT_EQ(arrived_, (Texts{"a", "d", "e"}));
}

TEST_F(AlertQueueTest, a_receiver_that_was_away_gets_one_reminder_of_an_alert) {
  answer_held_ = true;
  const auto push = [this](const std::string& subject, const std::string& text, bool is_reminder) {
    AlertMessage next = message(text);
    next.subject = subject;
    next.is_reminder = is_reminder;
    queue().push(std::move(next));
  };
  push("x", "x began", false);
  ASSERT_TRUE(until([&] { return tried_.size() == 1; }));
  push("x", "x still", true);
  push("y", "y began", false);
  for (const char* text : {"y still", "y for hours", "y for days"}) push("y", text, true);
  EXPECT_EQ(queue().waiting(), 3U);
  EXPECT_EQ(queue().counters().dropped, 0U);
  answer_held_ = false;
  answered_.notify();
  ASSERT_TRUE(until([&] { return arrived_.size() == 3; }));
  EXPECT_EQ(arrived_, (Texts{"x began", "x still", "y for days"}));
}

TEST_F(AlertQueueTest, gives_a_message_up_that_has_become_too_old) {
  options_.give_up = 20ms;
  outcomes_.assign(100, Outcome::again);
  queue().push(message("a"));
  ASSERT_TRUE(until([&] { return queue().counters().dropped == 1; }));
  outcomes_.clear();
  queue().push(message("b"));
  ASSERT_TRUE(until([&] { return arrived_.size() == 1; }));
  EXPECT_EQ(arrived_, (Texts{"b"}));
  EXPECT_GT(tried_.size(), 2U);
}

TEST_F(AlertQueueTest, ends_while_it_waits_and_while_it_sends) {
  options_.backoff = {30s, 30s, 30s, 0ms};
  outcomes_ = {Outcome::again};
  queue().push(message("a"));
  ASSERT_TRUE(until([&] { return !queue().trouble().empty(); }));
  test::on_loop(io_, [this] { queue_->stop(); });
  test::run(io_, tasks_.join());
  EXPECT_EQ(queue().waiting(), 1U);
}

}  // namespace
}  // namespace rockdove::server
