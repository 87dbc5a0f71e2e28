// The parts of the inbox and their wiring: what takes, keeps, brings and forgets events.
#pragma once

#include "inbox/capture.hpp"
#include "inbox/clock_watch.hpp"
#include "inbox/deliverer.hpp"
#include "inbox/events_api.hpp"
#include "inbox/sqlite_store.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <vector>

namespace rockdove::inbox {

/// One inbox on one loop. Loop thread only.
class Inbox {
 public:
  struct Options {
    SqliteOptions store;
    Deliverer::Options deliverer;
    Capture::Options capture;
  };

  /// Opens the store, as open_sqlite_store(). `agents` must outlive it; `clock` tells the wall time.
  Inbox(net::Executor executor, http::Handler& agents, WallClock clock, Options options);
  ~Inbox();

  /// Delivers and tidies up until stop() and the end of the attempts under way; cancelling it cuts those
  /// short.
  Awaitable<void> run();
  /// No new attempts. Requests are still stored: close the door to callers first if they should not be.
  void stop();
  /// Waits for what is on its way to the disk. After run() has returned and the last handle() has ended.
  Awaitable<void> close();

  Capture& capture() { return capture_; }
  http::Handler& api() { return api_; }

  /// An agent of the tunnel has come, or reports an upstream that is up.
  void hope(std::string_view tunnel) { deliverer_.hope(tunnel); }
  /// A caller has been served, stored or live.
  void served_caller() { deliverer_.served_caller(); }
  void set_options(const Retention& retention, Deliverer::Options options);

  StoreHealth health() const { return store_->health(); }
  /// Of each route that has events to deliver; up to a few seconds old.
  const std::vector<Backlog>& backlogs() const { return backlogs_; }
  std::vector<Tally> tallies() const { return store_->tallies(); }
  /// The "inbox" part of /stats. Oldest ages are up to a few seconds old.
  boost::json::object to_json() const;

 private:
  Awaitable<void> keep_house();
  bool may_expire();

  const WallClock clock_;
  std::unique_ptr<Store> store_;
  Deliverer deliverer_;
  Capture capture_;
  EventsApi api_;
  net::TaskGroup tasks_;
  ClockWatch watch_;
  std::vector<Backlog> backlogs_;
};

}  // namespace rockdove::inbox
