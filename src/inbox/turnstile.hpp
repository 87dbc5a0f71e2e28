// Lets the checkpoint thread have the database for itself between two commits.
#pragma once

#include <condition_variable>
#include <mutex>

namespace rockdove::inbox {

/// A lock between one who comes all the time and one who comes rarely and must not wait for long. (A mutex is
/// not fair: who has just let it go mostly gets it again. SQLite's own locks are polled.)
class Turnstile {
 public:
  /// For the frequent one: waits while the rare one has, or wants, its turn.
  class Turn {
   public:
    explicit Turn(Turnstile& at) : at_(at) {
      std::unique_lock lock(at_.mutex_);
      at_.changed_.wait(lock, [this] { return !at_.wanted_; });
      at_.taken_ = true;
    }
    ~Turn() { at_.set(at_.taken_, false); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Turnstile& at_;
  };

  /// For the rare one.
  class Break {
   public:
    explicit Break(Turnstile& at) : at_(at) {
      std::unique_lock lock(at_.mutex_);
      at_.wanted_ = true;
      at_.changed_.wait(lock, [this] { return !at_.taken_; });
    }
    ~Break() { at_.set(at_.wanted_, false); }
    Break(const Break&) = delete;
    Break& operator=(const Break&) = delete;

   private:
    Turnstile& at_;
  };

 private:
  void set(bool& what, bool value) {
    const std::lock_guard lock(mutex_);
    what = value;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool taken_ = false, wanted_ = false;
};

}  // namespace rockdove::inbox
