// The memory that requests take from their first byte until they are stored, and how it is shared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace rockdove::inbox {

/// Of a request that may come from anybody, half of the memory is for all such together, and each gets at
/// most what it leaves free of that. With n strangers that have all they can get, and send the rest never, a
/// newcomer finds a part in n + 1 of the half, and whoever has proven what he is, or need not, all of the
/// other.
class HeldMemory {
 public:
  /// In bytes.
  explicit HeldMemory(std::size_t size) : size_(size) {}

  /// The largest body that can be proven: the first one leaves as much as it takes.
  static constexpr std::size_t unproven_max(std::size_t size) { return size / 4; }

 private:
  friend class Held;
  const std::size_t size_;
  std::size_t taken_ = 0;     // by all
  std::size_t unproven_ = 0;  // of that: by those that have yet to be proven
};

/// What one request has of it; gives it back when it goes. `memory` must outlive it.
class Held {
 public:
  Held(HeldMemory& memory, bool is_proven) : memory_(memory), is_proven_(is_proven) {}
  ~Held() {
    note_proof();
    memory_.taken_ -= bytes_;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  /// False, and nothing is taken, if there is no room.
  bool add(std::size_t bytes) {
    if (bytes > memory_.size_ - memory_.taken_) return false;
    if (!is_proven_) {
      const std::size_t share = memory_.size_ / 2, others = memory_.unproven_ - bytes_;
      if (bytes_ + bytes > (share - others) / 2) return false;
      memory_.unproven_ += bytes;
    }
    bytes_ += bytes;
    memory_.taken_ += bytes;
    return true;
  }

  /// It is no stranger's: counts like all others from now on.
  void note_proof() {
    if (!std::exchange(is_proven_, true)) memory_.unproven_ -= bytes_;
  }

 private:
  HeldMemory& memory_;
  bool is_proven_;
  std::size_t bytes_ = 0;
};

}  // namespace rockdove::inbox
