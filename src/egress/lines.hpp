// Waiting in line for one of a few places: so many calls at a time, first come, first served.
#pragma once

#include "net/asio.hpp"

#include <list>
#include <map>
#include <memory>
#include <string>

namespace rockdove::egress {

/// A line for each key; one that nobody stands in or has a place of is forgotten. Loop thread only; places
/// and waiters must be gone before it is destroyed.
class Lines {
  struct Line;
  struct Waiter;
  using Map = std::map<std::string, std::unique_ptr<Line>, std::less<>>;

 public:
  struct Limits {
    std::size_t running = 0;   ///< places, not 0 for enter(); as an option, 0 is no limit
    std::size_t waiting = 64;  ///< more are turned away
    net::Duration wait = std::chrono::seconds(120);  ///< whoever waits longer is turned away

    bool operator==(const Limits&) const = default;
  };

  /// Destroying it frees the place for the next in line.
  class Place {
   public:
    Place(Lines& lines, Map::iterator line);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Lines& lines_;
    const Map::iterator line_;
  };
  using PlacePtr = std::unique_ptr<Place>;

  explicit Lines(net::Executor executor);
  ~Lines();

  /// A place of `key`'s line, at once or when it is this caller's turn. Error::queue_full if the line is too
  /// long or moves too slowly. The limits of whoever came last count for all of the line.
  Awaitable<Result<PlacePtr>> enter(std::string key, Limits limits);

  std::size_t running(const std::string& key) const;
  std::size_t waiting(const std::string& key) const;
  bool empty() const { return lines_.empty(); }

 private:
  const net::Executor executor_;
  Map lines_;
};

}  // namespace rockdove::egress
