// What the threads of the embedded store and its callers on the loop have in common.
#pragma once

#include "inbox/claims.hpp"
#include "inbox/store.hpp"

#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <tuple>

namespace rockdove::inbox {

/// Route, tunnel, state.
using TallyKey = std::tuple<std::string, std::string, State>;
struct Count {
  std::int64_t events = 0, bytes = 0;
};
/// Sums of tallies, or what a transaction adds to them.
using Counts = std::map<TallyKey, Count>;

/// The counts as of the last commit. Any thread.
class TallyBook {
 public:
  struct Sums {
    std::uint64_t pending_bytes = 0;  ///< of waiting and queued events
    std::uint64_t pending_events = 0, ended_events = 0, bytes = 0;
  };

  void replace(Counts counts);
  void add(const Counts& delta);
  std::vector<Tally> list() const;
  Sums sums() const;

 private:
  void add_to_sums(State state, Count count);

  mutable std::mutex mutex_;
  Counts counts_;
  Sums sums_;
};

/// How the store is. Any thread.
class HealthBook {
 public:
  enum class Work { commit, queue, read, checkpoint };

  void committed(std::chrono::microseconds took);
  /// Empty: it works again.
  void set_failure(Work work, std::string reason);
  /// An append was refused because there is too much that has not ended.
  void set_over_limit(bool over);
  StoreHealth look(const TallyBook& tallies, const Retention& retention) const;

 private:
  mutable std::mutex mutex_;
  StoreHealth health_;
  std::array<std::string, 4> failures_;  // of each Work
  bool over_limit_ = false;
};

/// Lives as long as the store or a completion that is on its way, whichever is longer.
struct SharedState {
  Claims claims;
  TallyBook tallies;
  HealthBook health;

  Retention retention() const {
    const std::lock_guard lock(mutex);
    return retention_;
  }
  void set_retention(Retention retention) {
    const std::lock_guard lock(mutex);
    retention_ = retention;
  }

  /// Held shared by whoever uses a connection, alone by whoever closes all of them or changes the files
  /// beneath.
  std::shared_mutex files;

 private:
  mutable std::mutex mutex;
  Retention retention_;
};

}  // namespace rockdove::inbox
