#include "inbox/deliverer.hpp"

#include "inbox/lane.hpp"
#include "net/log.hpp"

#include <set>

namespace rockdove::inbox {
namespace {

constexpr std::chrono::milliseconds load_again{1'000};

bool is_open(const Tally& tally) {
  return tally.events > 0 && (tally.state == State::waiting || tally.state == State::queued);
}

}  // namespace

Deliverer::Deliverer(net::Executor executor, Store& store, http::Handler& agents, WallClock clock,
                     Options options)
    : executor_(executor),
      store_(store),
      agents_(agents),
      clock_(std::move(clock)),
      options_(std::move(options)),
      pace_(options_.pace),
      tasks_(executor, net::abort_on_error),
      changed_(executor) {}
Deliverer::~Deliverer() = default;

Awaitable<void> Deliverer::run() {
  tasks_.spawn(keep_lanes());
  co_await tasks_.join_or_cancel();
}

Awaitable<void> Deliverer::keep_lanes() {
  // However this ends, nothing new begins afterwards.
  struct Stop {
    Deliverer& deliverer;
    ~Stop() { deliverer.stop(); }
  };
  const Stop at_end{*this};
  bool is_known = false;
  while (!is_known && !stopping_) is_known = co_await load_pauses();
  if (stopping_) co_return;
  ready_ = true;
  for (const auto& [route, lane] : lanes_) tasks_.spawn(lane->run());
  for (const Tally& tally : store_.tallies())
    if (is_open(tally)) lane(tally.route);
  while (!stopping_) co_await changed_.wait();
}

/// False, after a while, if the store does not say: to deliver to a paused route would be worse than to wait.
Awaitable<bool> Deliverer::load_pauses() {
  const auto paused = co_await store_.paused();
  if (paused) {
    for (const auto& [route, reason] : *paused) lane(route).set_paused(reason);
    co_return true;
  }
  log::warn("inbox", "the store cannot say which routes are paused ({}), trying again",
            error_name(paused.error()));
  bool is_over = false;
  net::Deadline pause(net::Deadlines::of(executor_.context()), [this, &is_over] {
    is_over = true;
    changed_.notify();
  });
  pause.set(load_again);
  while (!is_over && !stopping_) co_await changed_.wait();
  co_return false;
}

void Deliverer::stop() {
  if (std::exchange(stopping_, true)) return;
  changed_.notify();
  for (const auto& [route, lane] : lanes_) {
    lane->dismiss();
    lane->notify();
  }
}

void Deliverer::deliver(DueEvent event) {
  Lane& its_lane = lane(event.event.route);
  its_lane.offer(std::move(event));
}

void Deliverer::wake(std::string_view route) {
  lane(route).wake();
}

void Deliverer::hope(std::string_view tunnel) {
  std::set<std::string, std::less<>> stored_for;  // the routes with events that go to it by what is stored
  for (Tally& tally : store_.tallies())
    if (is_open(tally) && (tally.tunnel.empty() || tally.tunnel == tunnel))
      stored_for.insert(std::move(tally.route));
  for (const auto& [route, lane] : lanes_) {
    const std::string& current = options_of(route).tunnel;
    const bool may_go_there = current.empty() ? stored_for.contains(route) : current == tunnel;
    if (may_go_there) lane->hope();
  }
}

Awaitable<std::shared_ptr<Answer>> Deliverer::wait(EventId id, std::string route,
                                                   net::Clock::time_point limit) {
  return lane(route).wait(id, limit);
}

Awaitable<Result<void>> Deliverer::pause(std::string route, std::string reason) {
  const auto stored = co_await store_.set_paused(route, reason);
  if (!stored) co_return stored.error();
  lane(route).set_paused(std::move(reason));
  co_return Result<void>{};
}

/// For a pause that nobody has asked for and that is in force already.
Awaitable<void> Deliverer::keep_paused(std::string route, std::string reason) {
  const auto stored = co_await store_.set_paused(route, std::move(reason));
  if (!stored)
    log::warn("inbox", "{}: the pause could not be stored ({}), it ends with this process", route,
              error_name(stored.error()));
}

void Deliverer::set_options(Options options) {
  options_ = std::move(options);
  for (const auto& [route, lane] : lanes_) lane->wake();
}

boost::json::array Deliverer::to_json() const {
  boost::json::array lanes;
  for (const auto& [route, lane] : lanes_) lanes.push_back(lane->to_json());
  return lanes;
}

Deliverer::Lane& Deliverer::lane(std::string_view route) {
  const auto known = lanes_.find(route);
  if (known != lanes_.end()) return *known->second;
  auto made = std::make_unique<Lane>(*this, std::string(route));
  Lane& lane = *lanes_.emplace(route, std::move(made)).first->second;
  if (ready_ && !stopping_) tasks_.spawn(lane.run());
  return lane;
}

const RouteOptions& Deliverer::options_of(std::string_view route) const {
  static const RouteOptions defaults;
  const auto known = options_.routes.find(route);
  return known == options_.routes.end() ? defaults : known->second;
}

}  // namespace rockdove::inbox
