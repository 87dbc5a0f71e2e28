// Brings stored events to their upstream: when they are due, in their order, as often as it takes.
#pragma once

#include "http/handler.hpp"
#include "inbox/breaker.hpp"
#include "inbox/pace.hpp"
#include "inbox/route_options.hpp"
#include "inbox/schedule.hpp"
#include "inbox/store.hpp"
#include "net/deadline.hpp"
#include "net/event.hpp"
#include "net/task_group.hpp"

#include <boost/json/array.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace rockdove::inbox {

using WallClock = std::function<WallTime()>;

/// What a caller that waits for its event learns.
struct Answer {
  Class outcome = Class::unseen;
  int status = 0;
  http::Fields fields;
  std::string body;
  bool is_cut = false;  ///< the upstream's body is longer than Options::answer_bytes: this is its beginning
};

/// One lane for each route that has events: it claims what is due while there is room, calls `agents`,
/// settles. Loop thread only.
class Deliverer {
 public:
  struct Options {
    std::map<std::string, RouteOptions, std::less<>> routes;  ///< events of other routes get the defaults
    std::size_t claim_bytes = 32 * 1024 * 1024;               ///< of requests in memory, per lane
    std::size_t answer_bytes = 1024 * 1024;                   ///< of an answer; more is read but not kept
    Pace::Options pace{};                                     ///< of backlogs; fixed at the start
    net::Duration quick = std::chrono::milliseconds(50);      ///< an attempt: see UnderWay
  };

  /// `store` and `agents` must outlive it; `clock` tells the wall time.
  Deliverer(net::Executor executor, Store& store, http::Handler& agents, WallClock clock, Options options);
  ~Deliverer();

  /// Runs until stop() and the end of the attempts under way.
  Awaitable<void> run();
  /// No new attempts; those under way may end. What they do not end is delivered after the next start.
  void stop();

  /// Delivers an event that its caller has appended with a claim, if there is room for it, else gives the
  /// claim back.
  void deliver(DueEvent event);
  /// There may be something to do for the route: events were appended, replayed, or it was resumed.
  void wake(std::string_view route);
  /// A caller has been served: backlogs go out at a pace that leaves room for the next one.
  void served_caller() { pace_.served(net::Clock::now()); }
  /// An agent of `tunnel` has come, or reports an upstream that is up: probes the routes that have events for
  /// it.
  void hope(std::string_view tunnel);

  /// The end of the event's next attempt, or of the one under way. Null when `limit` has passed, or when
  /// there will be none soon (the route is paused or rests, or its breaker is open): the event is safe and
  /// the caller should not wait. Any number may wait for one event: they share its answer, and one that is
  /// its only owner may take it apart.
  Awaitable<std::shared_ptr<Answer>> wait(EventId id, std::string route, net::Clock::time_point limit);

  /// Kept over restarts. An empty reason resumes. Errors as Store::set_paused().
  Awaitable<Result<void>> pause(std::string route, std::string reason);

  void set_options(Options options);
  bool has_options_of(std::string_view route) const { return options_.routes.contains(route); }
  /// For /stats: per route attempts under way, paused, breaker, waiters.
  boost::json::array to_json() const;

 private:
  class Lane;
  friend class Lane;
  Lane& lane(std::string_view route);
  const RouteOptions& options_of(std::string_view route) const;
  Awaitable<void> keep_lanes();
  Awaitable<bool> load_pauses();
  Awaitable<void> keep_paused(std::string route, std::string reason);

  const net::Executor executor_;
  Store& store_;
  http::Handler& agents_;
  const WallClock clock_;
  Options options_;
  Pace pace_;
  std::map<std::string, std::unique_ptr<Lane>, std::less<>> lanes_;
  net::TaskGroup tasks_;
  net::Event changed_;
  bool ready_ = false;  // it is known which routes are paused
  bool stopping_ = false;
};

}  // namespace rockdove::inbox
