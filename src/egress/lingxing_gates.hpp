// How many calls of one path run at a time: whoever comes on top of that waits, instead of being refused.
#pragma once

#include "net/deadline.hpp"
#include "net/event.hpp"

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

namespace rockdove::egress {

/// Lingxing has a "bucket" for each appId and path; a call takes a token out and puts it back when it ends,
/// or after two minutes. That is a limit of concurrency, and most buckets hold one. Loop thread only.
class LingxingGates {
 public:
  using Buckets = std::map<std::string, std::size_t, std::less<>>;
  struct Options {
    Buckets buckets;           ///< by exact path; 0 counts as 1
    std::size_t bucket = 1;    ///< of every other path
    std::size_t waiting = 64;  ///< calls in line for one path
  };
  class Place;

  LingxingGates(net::Executor executor, Options options);
  ~LingxingGates();

  /// First come, first served. Error::queue_full if the line is full, or no place was free within `limit`.
  /// The place is given back when it is destroyed; it must not outlive this.
  Awaitable<Result<std::unique_ptr<Place>>> enter(std::string path, net::Duration limit);

  /// Counts for those in line as well.
  void set_buckets(Buckets buckets);

  std::size_t waiting() const { return waiting_; }
  /// Paths of which a call runs or waits.
  std::size_t size() const { return gates_.size(); }

 private:
  struct Waiter;
  struct Gate {
    std::size_t running = 0;
    std::list<Waiter*> line;
  };
  using Gates = std::map<std::string, Gate, std::less<>>;

  std::size_t limit_of(const std::string& path) const;
  void leave(Gates::iterator gate);
  void call_next(Gates::iterator gate);

  const net::Executor executor_;
  Options options_;
  Gates gates_;  // only those in use
  std::size_t waiting_ = 0;
};

class LingxingGates::Place {
 public:
  Place(LingxingGates& gates, Gates::iterator gate) : gates_(gates), gate_(gate) {}
  ~Place() { gates_.leave(gate_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  LingxingGates& gates_;
  Gates::iterator gate_;
};

}  // namespace rockdove::egress
