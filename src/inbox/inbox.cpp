#include "inbox/inbox.hpp"

#include "net/log.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace rockdove::inbox {
namespace {

constexpr std::chrono::seconds round_time{2};         // between two looks at the backlogs
constexpr int rounds_to_expire = 30;                  // a minute: retention is about days
constexpr std::chrono::milliseconds slice_pause{20};  // appends come between two slices of a removal

}  // namespace

Inbox::Inbox(net::Executor executor, http::Handler& agents, WallClock clock, Options options)
    : clock_(clock),
      store_(open_sqlite_store(executor, std::move(options.store))),
      deliverer_(executor, *store_, agents, clock, std::move(options.deliverer)),
      capture_(executor, *store_, deliverer_, clock, options.capture),
      api_(*store_, deliverer_, clock,
           [this](std::string_view route) { return deliverer_.has_options_of(route); }),
      tasks_(executor, net::abort_on_error) {}

Inbox::~Inbox() = default;

Awaitable<void> Inbox::run() {
  tasks_.spawn(keep_house());
  std::exception_ptr cancelled;
  try {
    co_await deliverer_.run();
  } catch (const boost::system::system_error&) { cancelled = std::current_exception(); }
  if (cancelled) co_await net::asio::this_coro::reset_cancellation_state(net::asio::disable_cancellation());
  tasks_.cancel();
  co_await tasks_.join();
  if (cancelled) std::rethrow_exception(cancelled);
}

void Inbox::stop() {
  deliverer_.stop();
  tasks_.cancel();
}

Awaitable<void> Inbox::close() {
  co_await capture_.join();
}

/// Looks at the age of what waits, and removes what need not be kept any longer.
Awaitable<void> Inbox::keep_house() {
  net::Timer timer(tasks_.executor());
  for (int round = 0;; ++round) {
    auto backlogs = co_await store_->backlogs();
    if (backlogs) backlogs_ = std::move(*backlogs);
    bool has_more = may_expire() && round % rounds_to_expire == 0;  // each round looks at the clocks
    while (has_more && may_expire()) {
      const auto removed = co_await store_->expire(clock_());
      has_more = removed && *removed > 0;
      timer.expires_after(slice_pause);
      if (has_more) co_await timer.async_wait(net::token);
    }
    timer.expires_after(round_time);
    co_await timer.async_wait(net::token);
  }
}

/// What is old by a clock that has just jumped may have ended a minute ago.
bool Inbox::may_expire() {
  const auto now = net::Clock::now();
  const bool was_trusted = watch_.is_trusted(now);
  const bool has_jumped = watch_.look(clock_(), now);
  if (has_jumped && was_trusted)
    log::warn("inbox", "the wall clock has jumped: nothing is removed for its age in the next hour");
  return watch_.is_trusted(now);
}

void Inbox::set_options(const Retention& retention, Deliverer::Options options) {
  store_->set_retention(retention);
  deliverer_.set_options(std::move(options));
}

boost::json::object Inbox::to_json() const {
  const StoreHealth health = store_->health();
  boost::json::array tallies;
  for (const Tally& tally : store_->tallies()) {
    if (tally.events == 0) continue;
    tallies.push_back({{"route", tally.route},
                       {"tunnel", tally.tunnel},
                       {"status", state_name(tally.state)},
                       {"events", tally.events},
                       {"bytes", tally.bytes}});
  }
  boost::json::array backlogs;
  const WallTime now = clock_();
  for (const Backlog& backlog : backlogs_) {
    const std::chrono::duration<double> age = std::max(now - backlog.oldest, WallTime::duration(0));
    backlogs.push_back({{"route", backlog.route}, {"tunnel", backlog.tunnel}, {"oldest_s", age.count()}});
  }
  const Capture::Counters& counters = capture_.counters();
  boost::json::object inbox;
  inbox["ok"] = health.ok;
  inbox["reason"] = health.reason;
  inbox["events"] = std::move(tallies);
  inbox["backlogs"] = std::move(backlogs);
  inbox["lanes"] = deliverer_.to_json();
  inbox["requests"] = {{"stored", counters.stored},
                       {"duplicates", counters.duplicates},
                       {"acked", counters.acked},
                       {"answered", counters.answered},
                       {"refused", counters.refused}};
  const auto milliseconds = [](std::chrono::microseconds time) {
    return static_cast<double>(time.count()) / 1000;
  };
  inbox["commits"] = {{"count", health.commits},
                      {"last_ms", milliseconds(health.last_commit)},
                      {"slowest_ms", milliseconds(health.slowest_commit)}};
  return inbox;
}

}  // namespace rockdove::inbox
