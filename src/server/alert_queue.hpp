// The messages that wait for one receiver: in order, one at a time, tried again until they are through.
#pragma once

#include "base/backoff.hpp"
#include "net/event.hpp"
#include "server/alert_message.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace rockdove::server {

using AlertMessagePtr = std::shared_ptr<const AlertMessage>;

/// In memory: what a restart loses, the state of the alerts brings back (ops::AlertRecord is of messages that
/// have arrived). Loop thread only.
class AlertQueue {
 public:
  struct Options {
    std::string name;                ///< of the receiver, for the log
    std::size_t messages_max = 100;  ///< at least 2; above: the oldest that is not under way goes
    BackoffOptions backoff{std::chrono::seconds(1), std::chrono::seconds(4), std::chrono::minutes(5),
                           std::chrono::seconds(0)};
    net::Duration give_up = std::chrono::hours(24);  ///< a message that is older is dropped
  };
  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t rejected = 0;  ///< by the receiver, for good
    std::uint64_t dropped = 0;   ///< too many, or too old
  };
  /// One attempt.
  using Post = std::function<Awaitable<AlertAnswer>(AlertMessagePtr message)>;
  using OnSent = std::function<void(const AlertMessage& message)>;

  AlertQueue(net::Executor executor, Options options, Post post, OnSent on_sent);

  /// A reminder takes the place of what waits to say that the same alert is firing: after an outage of the
  /// receiver one message does.
  void push(AlertMessage message);
  /// Sends until stop() has been called and the attempt under way has ended. Not to be cancelled.
  Awaitable<void> run();
  void stop();

  const Counters& counters() const { return counters_; }
  std::size_t waiting() const { return entries_.size(); }
  /// Why the message at the head is still there; "" if there is none or it was not tried yet.
  const std::string& trouble() const { return trouble_; }

 private:
  struct Entry {
    AlertMessagePtr message;
    net::Clock::time_point since;
  };

  std::size_t first_untouched() const { return is_posting_ ? 1 : 0; }
  void drop_superseded(const AlertMessage& reminder);
  void settle(const AlertAnswer& answer);
  bool has_to_wait(const AlertAnswer& answer);
  Awaitable<void> pause();

  const net::Executor executor_;
  const Options options_;
  const Post post_;
  const OnSent on_sent_;
  std::deque<Entry> entries_;
  Backoff backoff_;
  bool is_posting_ = false;  // the first entry
  bool stopping_ = false;
  std::string trouble_;
  Counters counters_;
  net::Event news_;
};

}  // namespace rockdove::server
