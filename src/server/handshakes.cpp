#include "server/handshakes.hpp"

#include "net/address.hpp"
#include "net/log.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace rockdove::server {
namespace {

/// Whom an address counts for. A dual-stack socket shows an IPv4 peer as a mapped address.
net::Address peer_of(const net::Address& address) {
  if (address.is_v4()) return address;
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return net::asio::ip::make_address_v4(net::asio::ip::v4_mapped, v6);
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return net::asio::ip::address_v6(bytes);
}

}  // namespace

Handshakes::Place::Place(Handshakes& owner, net::Address peer, std::function<void()> on_evicted)
    : owner_(&owner), peer_(std::move(peer)), on_evicted_(std::move(on_evicted)) {
  owner.taken_.push_back(this);
}

Handshakes::Place::~Place() {
  if (owner_) owner_->taken_.remove(this);
}

std::unique_ptr<Handshakes::Place> Handshakes::enter(const net::Address& address,
                                                     std::function<void()> on_evicted) {
  const net::Address peer = peer_of(address);
  const auto own = std::ranges::count_if(taken_, [&](const Place* each) { return each->peer_ == peer; });
  const bool has_share = static_cast<std::size_t>(own) >= share_;
  if (has_share || taken_.size() >= places_) {
    ++refused_;
    const bool has_place = evict(has_share ? &peer : nullptr);
    if (const auto others = full_.pass())
      log::warn("link", "{}: {} handshakes at a time are too many{}: {}{}", net::to_string(address),
                has_share ? share_ : places_, has_share ? " from there" : "",
                has_place ? "the oldest one is closed" : "turned away", *others);
    if (!has_place) return nullptr;
  }
  return std::unique_ptr<Place>(new Place(*this, peer, std::move(on_evicted)));
}

/// Frees a place, one of `peer` if it is given; false if none may be taken.
bool Handshakes::evict(const net::Address* peer) {
  const auto oldest = std::ranges::find_if(taken_, [peer](const Place* each) {
    return !each->has_said_hello_ && (!peer || each->peer_ == *peer);
  });
  if (oldest == taken_.end()) return false;
  Place& place = **oldest;
  taken_.erase(oldest);
  place.owner_ = nullptr;
  place.on_evicted_();
  return true;
}

}  // namespace rockdove::server
