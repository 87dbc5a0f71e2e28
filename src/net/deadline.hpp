// Time limits by the ten thousand: cheap to set, cheap to clear, coarse by design.
#pragma once

#include "net/asio.hpp"

#include <array>
#include <functional>

namespace rockdove::net {

class Deadlines;

/// One time limit. Fires `on_expiry` once, at most one tick late, unless moved or cleared before.
/// Loop thread only. Destroying it clears it; `on_expiry` may destroy it.
class Deadline {
 public:
  Deadline(Deadlines& deadlines, std::function<void()> on_expiry);
  ~Deadline() { clear(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  /// (Re)starts the limit, `from now` on. Zero or negative means no limit.
  void set(Duration from_now);
  void clear();
  bool is_set() const { return slot_ != nullptr; }

 private:
  friend Deadlines;
  Deadlines& deadlines_;
  std::function<void()> on_expiry_;
  Clock::time_point due_{};
  std::uint64_t hung_at_ = 0;  // the tick whose slot it hangs in
  Deadline** slot_ = nullptr;  // head of the list this limit hangs in
  Deadline* next_ = nullptr;
  Deadline* previous_ = nullptr;
};

/// A timer wheel: one Asio timer for all limits of a loop. A kernel timer a request would cost two
/// heap operations and sometimes a system call each; limits here are seconds, so a tick is enough.
class Deadlines {
 public:
  static constexpr std::chrono::milliseconds tick{20};

  explicit Deadlines(Executor executor);
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  /// The wheel of the loop that `context` runs; made at first use.
  static Deadlines& of(asio::execution_context& context);

 private:
  friend Deadline;
  static constexpr std::size_t slots = 512;  // about 10 s a turn; longer limits go round again

  void hang(Deadline& deadline);
  void start();
  void turn();

  Timer timer_;
  bool running_ = false;
  std::size_t set_ = 0;
  std::uint64_t now_tick_ = 0;  // ticks since the epoch of Clock that have been handled
  std::array<Deadline*, slots> wheel_{};
};

}  // namespace rockdove::net
