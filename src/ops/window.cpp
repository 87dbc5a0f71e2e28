#include "ops/window.hpp"

namespace rockdove::ops {

void Span::add(int status, std::uint64_t microseconds) {
  ++requests;
  if (status > 0) ++answered;
  if (status >= 500 && status < 600) ++failed;
  latency.add(microseconds);
}

void Span::add(const Span& other) {
  requests += other.requests;
  answered += other.answered;
  failed += other.failed;
  latency.add(other.latency);
}

double Span::success_rate() const {
  return answered == 0 ? 1.0 : static_cast<double>(answered - failed) / static_cast<double>(answered);
}

void Window::add(net::Clock::time_point ended, int status, std::uint64_t microseconds) {
  if (ring_.empty()) ring_.resize(slots + 1);
  const std::int64_t number = number_at(ended);
  Slot& slot = ring_[static_cast<std::size_t>(number % (slots + 1))];
  if (slot.number > number) return;  // older than all that is remembered
  if (slot.number < number) slot = {number, {}};
  slot.span.add(status, microseconds);
}

Span Window::sum(net::Clock::time_point now) const {
  Span all;
  const std::int64_t last = number_at(now);
  for (const Slot& slot : ring_)
    if (slot.number >= 0 && slot.number <= last && slot.number >= last - slots) all.add(slot.span);
  return all;
}

}  // namespace rockdove::ops
