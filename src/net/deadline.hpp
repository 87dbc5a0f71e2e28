// Time limits by the ten thousand: cheap to set, cheap to clear, coarse by design.
#pragma once

#include "net/asio.hpp"

#include <array>
#include <functional>

namespace rockdove::net {

class Deadlines;

/// One time limit. Fires `on_expiry` once, never early and little more than one tick late (plus what the loop
/// is busy with), unless moved or cleared before. Loop thread only. Destroying it clears it; `on_expiry` may
/// set it again or destroy it, and must not throw.
class Deadline {
 public:
  Deadline(Deadlines& deadlines, std::function<void()> on_expiry);
  ~Deadline() { clear(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  /// (Re)starts the limit, `from_now` on. Zero or negative means no limit; a year is the most.
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

  using Now = Clock::time_point (*)();

  /// `now` tells the time; tests bring their own and call advance() themselves.
  explicit Deadlines(Executor executor, Now now = nullptr);
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  /// The wheel of the loop that `context` runs; made at first use.
  static Deadlines& of(asio::execution_context& context);

  /// Fires what is due. The wheel's own timer calls it once a tick.
  void advance();

 private:
  friend Deadline;
  static constexpr std::size_t slots = 512;  // about 10 s a turn; longer limits go round again

  void hang(Deadline& deadline);
  void start();
  void turn();
  static void expire(Deadline& deadline) noexcept;

  Timer timer_;
  Now now_;
  bool running_ = false;
  std::size_t set_ = 0;
  std::uint64_t now_tick_ = 0;  // ticks since the epoch of Clock that have been handled
  std::array<Deadline*, slots> wheel_{};
};

}  // namespace rockdove::net
