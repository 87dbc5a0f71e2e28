#include "inbox/breaker.hpp"

namespace rockdove::inbox {

Breaker::Breaker(Options options) : options_(options), backoff_(options.probes) {}

std::size_t Breaker::room(std::size_t running, std::size_t limit, net::Clock::time_point now) const {
  if (!is_open_) return limit > running ? limit - running : 0;
  return running == 0 && limit > 0 && now >= probe_at_ ? 1 : 0;
}

void Breaker::succeeded() {
  failures_ = 0;
  is_open_ = false;
  backoff_ = Backoff(options_.probes);
}

void Breaker::failed(net::Clock::time_point now, std::uint32_t random) {
  // Attempts that began before it opened fail one after the other now. That is no news, and must not make
  // the probes' waits grow: no probe can have failed before it was allowed to begin.
  if (is_open_ && now < probe_at_) return;
  if (!is_open_ && ++failures_ < options_.failures_max) return;
  is_open_ = true;
  probe_at_ = now + backoff_.next(random);
}

void Breaker::hope(net::Clock::time_point now) {
  if (!is_open_) return;
  backoff_ = Backoff(options_.probes);  // what comes up may need some tries before it is ready
  probe_at_ = now;
}

}  // namespace rockdove::inbox
