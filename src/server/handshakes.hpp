// Who may be in a handshake with the tunnel port, and who has to go when that is full.
#pragma once

#include "net/asio.hpp"
#include "net/log_pace.hpp"

#include <functional>
#include <list>
#include <memory>

namespace rockdove::server {

/// The places for handshakes, and each peer's share of them. Nobody there has proven anything yet, so a
/// newcomer that finds no place gets that of the oldest one that has not said who it is: those that connect
/// and stay silent keep nobody out. Loop thread only.
class Handshakes {
 public:
  /// `places` at a time. A quarter of them, at least one, is for one peer: an IPv4 address or an IPv6 /64,
  /// which is what one machine can choose its addresses from.
  explicit Handshakes(std::size_t places) : places_(places), share_(places < 4 ? 1 : places / 4) {}
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  /// Held as long as the handshake runs; must not outlive the Handshakes.
  class Place {
   public:
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    /// The whole hello is there: an answer is due, and the place is kept until then.
    void said_hello() { has_said_hello_ = true; }

   private:
    friend Handshakes;
    Place(Handshakes& owner, net::Address peer, std::function<void()> on_evicted);
    Handshakes* owner_;  // null: somebody else has got the place
    const net::Address peer_;
    const std::function<void()> on_evicted_;
    bool has_said_hello_ = false;
  };

  /// Null if there is no place. When the place is lost to somebody else `on_evicted` is called, once; it has
  /// to close the connection.
  std::unique_ptr<Place> enter(const net::Address& address, std::function<void()> on_evicted);

  std::size_t taken() const { return taken_.size(); }
  /// How often one was too many, so that it or another went.
  std::uint64_t refused() const { return refused_; }

 private:
  bool evict(const net::Address* peer);

  const std::size_t places_, share_;
  std::list<Place*> taken_;  // oldest first
  net::LogPace full_;
  std::uint64_t refused_ = 0;
};

}  // namespace rockdove::server
