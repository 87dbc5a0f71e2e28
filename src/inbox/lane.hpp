// One route's deliveries.
#pragma once

#include "inbox/ahead.hpp"
#include "inbox/attempt.hpp"
#include "inbox/deliverer.hpp"
#include "inbox/under_way.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <map>

namespace rockdove::inbox {

/// Claims what is due while there is room for it, starts an attempt for each, and settles what comes out.
/// Belongs to its Deliverer, whose TaskGroup runs everything here.
class Deliverer::Lane {
 public:
  Lane(Deliverer& owner, std::string route);

  /// Until the deliverer stops; the attempts are tasks of their own.
  Awaitable<void> run();
  /// Starts the attempt now, or gives the claim back and looks again when there is room.
  void offer(DueEvent due);
  /// There may be something due.
  void wake();
  /// Something that the lane's decisions depend on is different.
  void notify() { changed_.notify(); }
  /// There may be somebody to take the events.
  void hope();
  /// An empty reason resumes.
  void set_paused(std::string reason);
  /// Lets those go who wait for what will not come soon.
  void dismiss();
  /// As Deliverer::wait().
  Awaitable<std::shared_ptr<Answer>> wait(EventId id, net::Clock::time_point limit);

  boost::json::object to_json() const;

 private:
  struct Delivery;
  struct Handover;
  struct Waiter;

  const RouteOptions& options() const { return owner_.options_of(route_); }
  std::size_t room() const;
  std::size_t room_for_backlog() const;
  bool rests() const { return rests_until_ && net::Clock::now() < *rests_until_; }
  void set_alarm(std::size_t free);
  Awaitable<void> look(std::size_t free);
  void start_ahead();
  void start(DueEvent due, UnderWay::Whose whose);
  Awaitable<void> attempt(std::unique_ptr<Delivery> delivery);
  void finish(Delivery& delivery, Exchange result);
  void report(Class end, const Outcome& outcome);
  void rest(std::chrono::milliseconds asked_for);
  void tell(EventId id, Answer answer);
  void hand_in(Settlement settlement, bool is_ordered);
  Awaitable<void> settle(std::unique_ptr<Handover> handover);

  Deliverer& owner_;
  const std::string route_;
  std::string paused_;  // why; empty: it is not
  Breaker breaker_;
  std::optional<net::Clock::time_point> rests_until_;  // because the upstream asks for that
  Ahead ahead_;
  UnderWay under_way_;
  net::Event changed_;
  net::Deadline alarm_;
  bool look_ = true;                  // there may be something due
  bool claim_failed_ = false;         // the last one
  std::optional<WallTime> next_due_;  // as far as is known
  std::size_t claiming_ = 0;          // room that a claim under way may fill
  std::size_t settling_ = 0;          // settlements that are not on disk yet
  std::multimap<EventId, Waiter*> waiters_;
  std::array<std::uint64_t, 5> ends_{};  // of attempts since the start, by Class
};

}  // namespace rockdove::inbox
