#include "server/alert_queue.hpp"

#include "base/units.hpp"
#include "net/crypto.hpp"
#include "net/deadline.hpp"
#include "net/log.hpp"

#include <algorithm>
#include <utility>

namespace rockdove::server {
namespace {

/// For the log.
std::string name_of(const AlertMessage& message) {
  return message.kind + " " + message.state + (message.subject.empty() ? "" : " " + message.subject);
}

}  // namespace

AlertQueue::AlertQueue(net::Executor executor, Options options, Post post, OnSent on_sent)
    : executor_(executor),
      options_(std::move(options)),
      post_(std::move(post)),
      on_sent_(std::move(on_sent)),
      backoff_(options_.backoff),
      news_(executor) {}

void AlertQueue::push(AlertMessage message) {
  if (message.is_reminder) drop_superseded(message);
  if (entries_.size() >= options_.messages_max) {
    ++counters_.dropped;
    const std::size_t oldest = first_untouched();
    log::warn("server", "alerts: {}: more than {} messages wait, the oldest is dropped ({})", options_.name,
              options_.messages_max, name_of(*entries_[oldest].message));
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(oldest));
  }
  entries_.push_back({std::make_shared<const AlertMessage>(std::move(message)), net::Clock::now()});
  news_.notify();
}

void AlertQueue::drop_superseded(const AlertMessage& reminder) {
  const auto is_superseded = [&reminder](const Entry& each) {
    const AlertMessage& old = *each.message;
    return old.kind == reminder.kind && old.subject == reminder.subject && old.state == reminder.state;
  };
  const auto untouched = entries_.begin() + static_cast<std::ptrdiff_t>(first_untouched());
  entries_.erase(std::remove_if(untouched, entries_.end(), is_superseded), entries_.end());
}

Awaitable<void> AlertQueue::run() {
  while (!stopping_) {
    if (entries_.empty()) {
      co_await news_.wait();
      continue;
    }
    is_posting_ = true;
    auto attempt = post_(entries_.front().message);
    const AlertAnswer answer = co_await std::move(attempt);
    is_posting_ = false;
    if (stopping_ && answer.outcome == AlertAnswer::Outcome::again) co_return;
    if (has_to_wait(answer)) co_await pause();
    else settle(answer);
  }
}

bool AlertQueue::has_to_wait(const AlertAnswer& answer) {
  if (answer.outcome != AlertAnswer::Outcome::again) return false;
  if (trouble_.empty())
    log::warn("server", "alerts: {}: a message does not get through, it is tried again: {}", options_.name,
              answer.words);
  trouble_ = answer.words;
  return net::Clock::now() - entries_.front().since < options_.give_up;
}

/// The end of the first message, whichever it is.
void AlertQueue::settle(const AlertAnswer& answer) {
  const AlertMessagePtr message = std::move(entries_.front().message);
  entries_.pop_front();
  backoff_ = Backoff(options_.backoff);
  trouble_.clear();
  switch (answer.outcome) {
    case AlertAnswer::Outcome::sent:
      ++counters_.sent;
      log::info("server", "alerts: {}: has been told: {}", options_.name, name_of(*message));
      return on_sent_(*message);
    case AlertAnswer::Outcome::rejected:
      ++counters_.rejected;
      return log::error("server", "alerts: {}: refuses a message ({}), which is dropped: {}", options_.name,
                        name_of(*message), answer.words);
    case AlertAnswer::Outcome::again:
      ++counters_.dropped;
      return log::error("server", "alerts: {}: a message ({}) did not get through in {} and is dropped: {}",
                        options_.name, name_of(*message),
                        format_duration(std::chrono::floor<std::chrono::milliseconds>(options_.give_up)),
                        answer.words);
  }
}

Awaitable<void> AlertQueue::pause() {
  bool is_over = false;
  net::Deadline limit(net::Deadlines::of(executor_.context()), [this, &is_over] {
    is_over = true;
    news_.notify();
  });
  limit.set(backoff_.next(net::random_u32()));
  while (!is_over && !stopping_) co_await news_.wait();
}

void AlertQueue::stop() {
  stopping_ = true;
  news_.notify();
}

}  // namespace rockdove::server
