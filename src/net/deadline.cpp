#include "net/deadline.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace rockdove::net {
namespace {

/// Beyond it, a sum with the present could overflow.
constexpr Duration limit_max = std::chrono::hours(24 * 365);

std::uint64_t tick_of(Clock::time_point time) {
  return static_cast<std::uint64_t>(time.time_since_epoch() / Deadlines::tick);
}

/// Ties a wheel to its loop, so that of() finds it and the loop's end ends it.
class Service : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit Service(asio::execution_context& context)
      : service(context),
        deadlines_(std::make_unique<Deadlines>(static_cast<IoContext&>(context).get_executor())) {}
  Deadlines& deadlines() { return *deadlines_; }

 private:
  void shutdown() override { deadlines_.reset(); }
  std::unique_ptr<Deadlines> deadlines_;
};

}  // namespace

Deadline::Deadline(Deadlines& deadlines, std::function<void()> on_expiry)
    : deadlines_(deadlines), on_expiry_(std::move(on_expiry)) {}

void Deadline::set(Duration from_now) {
  if (from_now <= Duration::zero()) return clear();
  // Not CLOCK_MONOTONIC_COARSE, though it is cheaper: it can be behind by more than its resolution.
  due_ = deadlines_.now_() + std::min(from_now, limit_max);
  // Moving a limit further away is the hot case (every read does it): it stays where it hangs, and
  // is hung again when that slot comes round.
  if (slot_ && tick_of(due_) + 1 >= hung_at_) return;
  clear();
  deadlines_.start();
  deadlines_.hang(*this);
}

void Deadline::clear() {
  if (!slot_) return;
  (previous_ ? previous_->next_ : *slot_) = next_;
  if (next_) next_->previous_ = previous_;
  slot_ = nullptr;
  next_ = previous_ = nullptr;
  --deadlines_.set_;
}

Deadlines::Deadlines(Executor executor, Now now) : timer_(executor), now_(now ? now : &Clock::now) {}

Deadlines::~Deadlines() {
  for (Deadline* head : wheel_)
    while (head) {  // limits that outlive the loop are unset, not dangling
      Deadline* next = head->next_;
      head->slot_ = nullptr;
      head->next_ = head->previous_ = nullptr;
      head = next;
    }
}

Deadlines& Deadlines::of(asio::execution_context& context) {
  return asio::use_service<Service>(context).deadlines();
}

void Deadlines::hang(Deadline& deadline) {
  const std::uint64_t wanted = tick_of(deadline.due_) + 1;  // never early
  const std::uint64_t at = std::min(std::max(wanted, now_tick_ + 1), now_tick_ + slots - 1);
  ++set_;
  deadline.hung_at_ = at;
  Deadline*& head = wheel_[at % slots];
  deadline.slot_ = &head;
  deadline.previous_ = nullptr;
  deadline.next_ = head;
  if (head) head->previous_ = &deadline;
  head = &deadline;
}

void Deadlines::start() {
  if (running_) return;
  running_ = true;
  now_tick_ = tick_of(now_());
  turn();
}

void Deadlines::turn() {
  // On the tick's edge, not a tick from now: waiting would add up to another tick of lateness.
  timer_.expires_at(Clock::time_point(tick * static_cast<Duration::rep>(now_tick_ + 1)));
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    advance();
    running_ = set_ != 0;  // an idle process makes no wake-ups
    if (running_) turn();
  });
}

void Deadlines::advance() {
  const auto now = now_();
  const std::uint64_t target = tick_of(now);
  // After a long stall (a suspended laptop) one whole turn of the wheel visits every slot.
  if (target > now_tick_ + slots) now_tick_ = target - slots;
  while (now_tick_ < target) {
    // The slot's limits move to a list of their own: an expiry may set or clear any other one.
    Deadline* due = std::exchange(wheel_[++now_tick_ % slots], nullptr);
    for (Deadline* each = due; each; each = each->next_) each->slot_ = &due;
    while (due) {
      Deadline& deadline = *due;
      const bool expired = deadline.due_ <= now;
      deadline.clear();
      if (expired) expire(deadline);
      else hang(deadline);
    }
  }
}

void Deadlines::expire(Deadline& deadline) noexcept {
  const auto on_expiry = deadline.on_expiry_;  // it may destroy its owner
  on_expiry();
}

}  // namespace rockdove::net
