// Keeps a route from hammering an upstream that is down.
#pragma once

#include "base/backoff.hpp"
#include "net/asio.hpp"

namespace rockdove::inbox {

/// A circuit breaker: `failures_max` failures without a success in between open it. Open, it lets one attempt
/// through at a time, as a probe, after growing waits; a success closes it. A failure is an attempt that says
/// something about the upstream as a whole: no connection, no agent, time-out, 5xx. Pure: time and chance are
/// parameters.
class Breaker {
 public:
  struct Options {
    int failures_max = 5;
    BackoffOptions probes{std::chrono::milliseconds(500), std::chrono::milliseconds(1000),
                          std::chrono::milliseconds(60'000), std::chrono::milliseconds(0)};
  };
  Breaker() : Breaker(Options{}) {}
  explicit Breaker(Options options);

  bool is_open() const { return is_open_; }
  /// How many attempts may begin now, `running` being under way and `limit` the most: none, one, or up to the
  /// limit.
  std::size_t room(std::size_t running, std::size_t limit, net::Clock::time_point now) const;
  /// When the next probe may begin; meaningless while closed.
  net::Clock::time_point probe_at() const { return probe_at_; }

  void succeeded();
  void failed(net::Clock::time_point now, std::uint32_t random);
  /// There is reason to hope (an agent has come, an upstream reports that it is up): probe at once.
  void hope(net::Clock::time_point now);

 private:
  const Options options_;
  Backoff backoff_;
  int failures_ = 0;
  bool is_open_ = false;
  net::Clock::time_point probe_at_{};
};

}  // namespace rockdove::inbox
