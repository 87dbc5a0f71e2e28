// Replies on their way to Feishu: in order and not too fast for each chat, again if the way was blocked.
#pragma once

#include "base/backoff.hpp"
#include "feishu-bot/feishu_api.hpp"
#include "net/task_group.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>

namespace rockdove::feishu_bot {

struct Reply {
  std::string chat_id;     ///< whose limit it counts against
  std::string message_id;  ///< what it replies to
  std::string uuid;        ///< see FeishuApi::reply()
  Message message;
  /// Called once when it has been sent or is given up; not when cancel() comes first. May be empty.
  std::function<void()> on_end{};
};

/// Loop thread only. cancel() must have returned before it is destroyed.
class Replies {
 public:
  struct Options {
    std::size_t per_window =
        5;  ///< replies to one chat within `window`: Feishu allows 5 a second to a person,
    net::Duration window = std::chrono::seconds(1);  ///< and 5 to a group from all of its bots
    std::size_t chat_queue_max = 100;                ///< replies that wait for one chat
    std::size_t queue_max = 1000;                    ///< that wait altogether
    int tries_max = 5;
    BackoffOptions backoff;  ///< between tries, unless Feishu says how long to wait
  };
  struct Counters {
    std::uint64_t sent = 0, failed = 0;
    std::size_t waiting = 0;  ///< now; one that is being sent counts
  };

  /// `feishu` must outlive it.
  Replies(net::Executor executor, FeishuApi& feishu, Options options);

  /// Error::queue_full if too many wait already. What becomes of the reply later is logged.
  Result<void> send(Reply reply);

  /// Waits for all replies, at most `limit`.
  Awaitable<void> drain(net::Duration limit);
  Awaitable<void> cancel();

  const Counters& counters() const { return counters_; }

 private:
  struct Lane {
    std::deque<Reply> waiting;
    std::deque<net::Clock::time_point> sent;  // the latest `per_window` at most
    bool is_running = false;
  };

  Awaitable<void> run_lane(std::string chat_id);
  void forget_quiet_lanes();
  Awaitable<void> pace(Lane& lane);
  Awaitable<void> deliver(Lane& lane, const Reply& reply);

  FeishuApi& feishu_;
  const Options options_;
  Counters counters_;
  std::map<std::string, Lane> lanes_;  // by chat
  net::TaskGroup tasks_;               // one for each lane that is running
  net::Event all_sent_;                // for drain()
};

}  // namespace rockdove::feishu_bot
