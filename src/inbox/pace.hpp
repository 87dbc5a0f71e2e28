// Callers first: a backlog that goes out makes room for the requests beside it.
#pragma once

#include "net/asio.hpp"

#include <cstddef>
#include <limits>

namespace rockdove::inbox {

/// How many deliveries of a backlog each route may have under way. As long as nobody else is about, as many
/// as the route allows. Beside callers, as many as the loop can take without keeping anything waiting for
/// long: the limit grows slowly while the loop keeps up and falls quickly when it does not, so that about one
/// measurement in ten is over `lag_max`. A slow upstream costs the loop nothing and lowers nothing. Pure:
/// time is a parameter.
class Pace {
 public:
  struct Options {
    net::Duration lag_max = std::chrono::microseconds(150);  ///< that something ready may wait for its turn
    net::Duration memory = std::chrono::seconds(1);          ///< a caller counts as being about for so long
    double first = 8;                                        ///< deliveries, before anything is known
    double least = 4;  ///< however late the loop is: the reason may be another one
  };
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

  Pace() : Pace(Options{}) {}
  explicit Pace(Options options) : options_(options), allowed_(options.first) {}

  /// A caller has been served.
  void served(net::Clock::time_point now) { last_caller_ = now; }
  bool is_limited(net::Clock::time_point now) const;
  /// Something that was ready waited `lag` for its turn, with `running` deliveries under way in a route.
  void measured(net::Duration lag, std::size_t running);
  std::size_t limit(net::Clock::time_point now) const;

 private:
  const Options options_;
  double allowed_;
  net::Clock::time_point last_caller_ = net::Clock::time_point::min();
};

}  // namespace rockdove::inbox
