// Events that a lane has claimed before it has room for them.
#pragma once

#include "inbox/store.hpp"

#include <deque>
#include <utility>

namespace rockdove::inbox {

/// What is left here when the lane ends, or does not want it any more, is due for the next claim. Loop thread
/// only.
class Ahead {
 public:
  /// `store` must outlive it.
  explicit Ahead(Store& store) : store_(store) {}
  ~Ahead() { give_back(); }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  bool empty() const { return events_.empty(); }
  void add(DueEvent due) { events_.push_back(std::move(due)); }
  /// The one that was added first.
  DueEvent take() {
    DueEvent first = std::move(events_.front());
    events_.pop_front();
    return first;
  }
  /// Ends the claims.
  void give_back() {
    for (const DueEvent& due : std::exchange(events_, {})) store_.settle_later(release_of(due.event));
  }

 private:
  Store& store_;
  std::deque<DueEvent> events_;
};

}  // namespace rockdove::inbox
