// The attempts that a route has under way, and how long such an attempt takes.
#pragma once

#include "inbox/event.hpp"
#include "net/asio.hpp"

#include <algorithm>
#include <cstddef>
#include <map>

namespace rockdove::inbox {

/// Pure: time is a parameter.
class UnderWay {
 public:
  using Time = net::Clock::time_point;
  enum class Whose { caller, backlog };  ///< does somebody wait for it?

  /// An attempt that has been under way for longer than `quick` waits for its upstream, and is no work for
  /// this machine.
  explicit UnderWay(net::Duration quick) : quick_(quick) {}

  void begin(EventId event, std::size_t bytes, Whose whose, Time now) {
    attempts_.emplace(event, Attempt{now, bytes, whose});
    bytes_ += bytes;
  }
  void end(EventId event, Time now) {
    const auto at = attempts_.find(event);
    bytes_ -= at->second.bytes;
    typical_ += (now - at->second.began - typical_) / recent;
    attempts_.erase(at);
  }

  bool contains(EventId event) const { return attempts_.contains(event); }
  bool empty() const { return attempts_.empty(); }
  std::size_t size() const { return attempts_.size(); }
  /// Of their requests.
  std::size_t bytes() const { return bytes_; }
  /// Those of the backlog that have not been under way for long.
  std::size_t young_backlog(Time now) const {
    return static_cast<std::size_t>(std::ranges::count_if(attempts_, [&](const auto& each) {
      return each.second.whose == Whose::backlog && now - each.second.began < quick_;
    }));
  }
  /// The time that an attempt takes, by those that have ended lately. Not quick as long as none has.
  net::Duration typical() const { return typical_; }
  bool is_quick() const { return typical_ < quick_; }
  net::Duration quick() const { return quick_; }

 private:
  static constexpr int recent = 16;  // about so many
  struct Attempt {
    Time began;
    std::size_t bytes;
    Whose whose;
  };

  const net::Duration quick_;
  std::map<EventId, Attempt> attempts_;
  std::size_t bytes_ = 0;
  net::Duration typical_ = quick_;
};

}  // namespace rockdove::inbox
