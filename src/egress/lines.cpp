#include "egress/lines.hpp"

#include "net/deadline.hpp"
#include "net/event.hpp"

namespace rockdove::egress {

struct Lines::Line {
  Limits limits;
  std::size_t running = 0;
  std::size_t called = 0;  // their place is free, they have yet to take it
  std::list<Waiter*> waiters;

  bool is_deserted() const { return running == 0 && called == 0 && waiters.empty(); }
  void call_next();
};

/// Whoever leaves after having been called, cancelled or late, passes the call on.
struct Lines::Waiter {
  Waiter(net::Executor executor, Line& joined)
      : line(joined), turn(executor), limit(net::Deadlines::of(executor.context()), [this] {
          is_late = true;
          turn.notify();
        }) {
    line.waiters.push_back(this);
    limit.set(line.limits.wait);
  }
  ~Waiter() {
    line.waiters.remove(this);
    if (is_called) --line.called;
    if (is_called && !is_taken) line.call_next();
  }

  Line& line;
  net::Event turn;
  net::Deadline limit;
  bool is_called = false, is_late = false, is_taken = false;
};

void Lines::Line::call_next() {
  for (Waiter* waiter : waiters) {
    if (running + called >= limits.running) return;
    if (std::exchange(waiter->is_called, true)) continue;
    ++called;
    waiter->turn.notify();
  }
}

Lines::Place::Place(Lines& lines, Map::iterator line) : lines_(lines), line_(line) {
  ++line_->second->running;
}

Lines::Place::~Place() {
  Line& line = *line_->second;
  --line.running;
  line.call_next();
  if (line.is_deserted()) lines_.lines_.erase(line_);
}

Lines::Lines(net::Executor executor) : executor_(executor) {}
Lines::~Lines() = default;

Awaitable<Result<Lines::PlacePtr>> Lines::enter(std::string key, Limits limits) {
  const auto found = lines_.try_emplace(std::move(key)).first;
  if (!found->second) found->second = std::make_unique<Line>();
  // Also when this call is cancelled or turned away.
  struct Tidy {
    Lines& lines;
    Map::iterator found;
    ~Tidy() {
      if (found->second->is_deserted()) lines.lines_.erase(found);
    }
  } tidy{*this, found};
  Line& line = *found->second;
  line.limits = limits;
  if (line.waiters.empty() && line.running + line.called < limits.running)
    co_return std::make_unique<Place>(*this, found);
  if (line.waiters.size() >= limits.waiting) co_return Error::queue_full;
  Waiter waiter(executor_, line);
  line.call_next();  // the limits may have grown
  while (!waiter.is_called && !waiter.is_late) co_await waiter.turn.wait();
  if (!waiter.is_called) co_return Error::queue_full;
  waiter.is_taken = true;
  co_return std::make_unique<Place>(*this, found);
}

std::size_t Lines::running(const std::string& key) const {
  const auto found = lines_.find(key);
  return found == lines_.end() ? 0 : found->second->running;
}

std::size_t Lines::waiting(const std::string& key) const {
  const auto found = lines_.find(key);
  return found == lines_.end() ? 0 : found->second->waiters.size();
}

}  // namespace rockdove::egress
