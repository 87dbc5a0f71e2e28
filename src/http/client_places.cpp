// A client's connections: who gets one, which are kept.
#include "http/client.hpp"

#include <utility>

namespace rockdove::http {

/// A request that waits for a place among the connections. Who frees one gives it to the first in line, so
/// that nobody who comes meanwhile is faster.
struct Client::Waiter {
  explicit Waiter(Client& owner)
      : client(owner), turn(owner.executor_), limit(net::Deadlines::of(owner.executor_.context()), [this] {
          is_late = true;
          turn.notify();
        }) {
    client.waiting_.push_back(this);
    limit.set(client.options_.queue_wait);
  }
  ~Waiter() {
    if (!has_place) client.waiting_.remove(this);
    else if (!is_taken) client.give_back(std::move(wire));  // cancelled just then
  }
  Client& client;
  net::Event turn;
  net::Deadline limit;
  std::shared_ptr<Wire> wire;
  bool has_place = false, is_taken = false, is_late = false;
};

/// A place among the connections, first come, first served: one that is kept, or null to connect with.
/// Nothing: whoever wants one has to wait_for_place().
std::optional<std::shared_ptr<Wire>> Client::take_place() {
  if (!waiting_.empty()) return std::nullopt;
  if (auto idle = take_idle()) return idle;
  if (open_ >= options_.connections) return std::nullopt;
  ++open_;
  return nullptr;
}

Awaitable<Result<std::shared_ptr<Wire>>> Client::wait_for_place() {
  Waiter waiter(*this);
  while (!waiter.has_place && !waiter.is_late) co_await waiter.turn.wait();
  if (!waiter.has_place) co_return Error::queue_full;
  waiter.is_taken = true;
  co_return std::move(waiter.wire);
}

std::shared_ptr<Wire> Client::take_idle() {
  while (!idle_.empty()) {
    auto wire = std::move(idle_.front().wire);
    idle_.pop_front();
    if (is_usable(*wire)) return wire;
    wire->close();
    --open_;
  }
  return nullptr;
}

void Client::keep(std::shared_ptr<Wire> wire) {
  wire->shrink();
  wire->watch();  // tells when the upstream closes it, and is the next answer's first read
  idle_.push_front({std::move(wire), net::Clock::now()});
  if (!sweep_.is_set()) sweep_.set(options_.keep_alive_timeout);
  serve_waiting();
}

void Client::released() {
  --open_;
  serve_waiting();
}

void Client::give_back(std::shared_ptr<Wire> wire) {
  if (wire) keep(std::move(wire));
  else released();
}

void Client::serve_waiting() {
  while (!waiting_.empty()) {
    auto wire = take_idle();
    if (!wire && open_ >= options_.connections) return;
    if (!wire) ++open_;
    Waiter& first = *waiting_.front();
    waiting_.pop_front();
    first.wire = std::move(wire);
    first.has_place = true;
    first.turn.notify();
  }
}

/// Bytes nobody asked for, or the end: not a connection to send a request on.
bool Client::is_usable(const Wire& wire) {
  return !wire.is_closed() && wire.is_open() && wire.buffered().empty();
}

}  // namespace rockdove::http
