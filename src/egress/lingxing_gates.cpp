#include "egress/lingxing_gates.hpp"

#include <algorithm>
#include <utility>

namespace rockdove::egress {

/// Somebody in line. A place that it was given and has not taken goes to the next.
struct LingxingGates::Waiter {
  Waiter(LingxingGates& its_gates, Gates::iterator its_gate, net::Duration limit)
      : gates(its_gates),
        gate(its_gate),
        turn(gates.executor_),
        deadline(net::Deadlines::of(gates.executor_.context()), [this] {
          is_late = true;
          turn.notify();
        }) {
    ++gates.waiting_;
    gate->second.line.push_back(this);
    deadline.set(limit);
  }
  ~Waiter() {
    --gates.waiting_;
    if (has_place) gates.leave(gate);
    else std::erase(gate->second.line, this);  // who runs keeps the gate
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  LingxingGates& gates;
  const Gates::iterator gate;
  net::Event turn;
  net::Deadline deadline;
  bool is_late = false, has_place = false;
};

LingxingGates::LingxingGates(net::Executor executor, Options options)
    : executor_(executor), options_(std::move(options)) {}
LingxingGates::~LingxingGates() = default;

Awaitable<Result<std::unique_ptr<LingxingGates::Place>>> LingxingGates::enter(std::string path,
                                                                              net::Duration limit) {
  const std::size_t places = limit_of(path);
  const auto gate = gates_.try_emplace(std::move(path)).first;
  if (gate->second.running < places) {  // then nobody waits
    ++gate->second.running;
    co_return std::make_unique<Place>(*this, gate);
  }
  if (gate->second.line.size() >= options_.waiting || limit <= net::Duration::zero())
    co_return Error::queue_full;
  Waiter waiter(*this, gate, limit);
  while (!waiter.has_place && !waiter.is_late) co_await waiter.turn.wait();
  if (!waiter.has_place) co_return Error::queue_full;
  auto place = std::make_unique<Place>(*this, gate);
  waiter.has_place = false;
  co_return place;
}

std::size_t LingxingGates::limit_of(const std::string& path) const {
  const auto own = options_.buckets.find(path);
  return std::max<std::size_t>(own == options_.buckets.end() ? options_.bucket : own->second, 1);
}

void LingxingGates::set_buckets(Buckets buckets) {
  options_.buckets = std::move(buckets);
  for (auto gate = gates_.begin(); gate != gates_.end(); ++gate) call_next(gate);
}

void LingxingGates::leave(Gates::iterator gate) {
  --gate->second.running;
  call_next(gate);
  if (gate->second.running == 0) gates_.erase(gate);
}

/// Hands free places on, so that nobody who comes meanwhile can take them.
void LingxingGates::call_next(Gates::iterator gate) {
  auto& [running, line] = gate->second;
  for (const std::size_t places = limit_of(gate->first); running < places && !line.empty(); ++running) {
    Waiter* next = line.front();
    line.pop_front();
    next->has_place = true;
    next->turn.notify();
  }
}

}  // namespace rockdove::egress
