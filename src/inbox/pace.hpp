// Callers first: a backlog that goes out makes room for the requests beside it.
#pragma once

#include "net/asio.hpp"

#include <cstddef>
#include <limits>

namespace rockdove::inbox {

/// How many deliveries of a backlog a route may begin. As long as nobody else is about, as many as the route
/// allows. Beside callers a new one every `spacing`, however many that are while one of them takes its time.
/// Where attempts are so quick that these would be few, as many as `together` at once: they have to be few,
/// since each of them stands before a caller somewhere on the way. Pure: time is a parameter.
class Pace {
 public:
  struct Options {
    net::Duration memory = std::chrono::seconds(1);          ///< a caller counts as being about for so long
    net::Duration spacing = std::chrono::microseconds(150);  ///< between deliveries, on average
    std::size_t together = 6;
  };
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

  Pace() : Pace(Options{}) {}
  explicit Pace(Options options) : options_(options) {}

  /// A caller has been served.
  void served(net::Clock::time_point now) { last_caller_ = now; }
  /// How many may begin beside `running` ones, where an attempt takes `typical`.
  std::size_t room(net::Clock::time_point now, std::size_t running, net::Duration typical) const;

 private:
  bool is_limited(net::Clock::time_point now) const;

  const Options options_;
  net::Clock::time_point last_caller_ = net::Clock::time_point::min();
};

}  // namespace rockdove::inbox
