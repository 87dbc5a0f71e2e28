// Which events somebody has promised to settle.
#pragma once

#include "inbox/event.hpp"

#include <mutex>
#include <unordered_set>

namespace rockdove::inbox {

/// A set in memory, for all threads of the store. Whoever takes an event first and then reads its row in a
/// new transaction sees everything that was committed before the claim was free: that is what keeps an
/// event that has just been settled from being claimed by a reader with an older view.
class Claims {
 public:
  /// False if somebody has it.
  bool take(EventId id) {
    const std::lock_guard lock(mutex_);
    return ids_.insert(id).second;
  }
  void drop(EventId id) {
    const std::lock_guard lock(mutex_);
    ids_.erase(id);
  }
  bool holds(EventId id) const {
    const std::lock_guard lock(mutex_);
    return ids_.contains(id);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_set<EventId> ids_;
};

}  // namespace rockdove::inbox
