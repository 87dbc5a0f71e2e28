#include "inbox/lane.hpp"

#include "base/units.hpp"
#include "net/crypto.hpp"
#include "net/log.hpp"

#include <algorithm>

namespace rockdove::inbox {
namespace {

using std::chrono::milliseconds;
using Whose = UnderWay::Whose;

// No wait for a due time is longer: the wall clock may jump meanwhile.
constexpr milliseconds look_every{30'000};
constexpr milliseconds claim_again{1'000};
constexpr milliseconds soon{1};
// A disk that has become slow must not collect answers without end.
constexpr std::size_t settling_max = 256;
// Claimed beyond what there is room for, where room comes quickly: a claim passes by all events whose
// settlements wait for the disk, so one event at a time is dear.
constexpr std::size_t ahead_max = 24;

}  // namespace

/// An event under way. Whatever becomes of its task, even if it never starts, its place is free afterwards
/// and its claim ends.
struct Deliverer::Lane::Delivery {
  Delivery(Lane& its_lane, DueEvent due, Whose whose)
      : lane(its_lane),
        event(std::move(due.event)),
        request(std::move(due.request)),
        started(net::Clock::now()) {
    lane.under_way_.begin(event.id, request.fields.bytes() + request.body.size(), whose, started);
  }
  ~Delivery() {
    if (has_left) return;
    leave();
    lane.tell(event.id, Answer());
    lane.owner_.store_.settle_later(release_of(event));
    lane.wake();
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void leave() {
    has_left = true;
    lane.under_way_.end(event.id, net::Clock::now());
  }
  /// Where nobody has had the event, all the time went into waiting for an agent. That is no attempt.
  Error lateness() const { return record.agent.empty() ? Error::no_agent : Error::upstream_timeout; }

  Lane& lane;
  Event event;
  StoredRequest request;
  const net::Clock::time_point started;
  http::Record record;
  std::optional<net::TaskGroup::Task> task;
  WallTime started_at{};
  bool is_late = false, has_left = false;
};

/// A settlement on its way to the store. It gets there even if the task that brings it is cancelled.
struct Deliverer::Lane::Handover {
  Handover(Lane& its_lane, Settlement its_settlement, bool ordered)
      : lane(its_lane), settlement(std::move(its_settlement)), is_ordered(ordered) {
    ++lane.settling_;
  }
  ~Handover() {
    --lane.settling_;
    if (settlement) lane.owner_.store_.settle_later(std::move(*settlement));
  }
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  Lane& lane;
  std::optional<Settlement> settlement;
  const bool is_ordered;
};

/// Somebody who wants to know how an event's attempt ends.
struct Deliverer::Lane::Waiter {
  Waiter(Lane& its_lane, EventId id, net::Duration limit)
      : lane(its_lane),
        news(lane.owner_.executor_),
        deadline(net::Deadlines::of(lane.owner_.executor_.context()), [this] { go(); }),
        place(lane.waiters_.emplace(id, this)) {
    deadline.set(limit);
  }
  ~Waiter() { lane.waiters_.erase(place); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void go() {
    is_over = true;
    news.notify();
  }

  Lane& lane;
  net::Event news;
  net::Deadline deadline;
  std::shared_ptr<Answer> answer;
  bool is_over = false;
  const std::multimap<EventId, Waiter*>::iterator place;
};

Deliverer::Lane::Lane(Deliverer& owner, std::string route)
    : owner_(owner),
      route_(std::move(route)),
      ahead_(owner.store_),
      under_way_(owner.options_.quick),
      changed_(owner.executor_),
      alarm_(net::Deadlines::of(owner.executor_.context()), [this] { wake(); }) {}

Awaitable<void> Deliverer::Lane::run() {
  struct Calm {
    Lane& lane;
    ~Calm() {
      lane.alarm_.clear();  // a limit that is set keeps the loop running
      lane.ahead_.give_back();
    }
  } calm{*this};
  while (!owner_.stopping_) {
    if (!rests()) rests_until_.reset();
    start_ahead();
    const std::size_t free = room_for_backlog();
    if (free > 0 && look_) {
      co_await look(free);
    } else {
      set_alarm(free);
      co_await changed_.wait();
    }
  }
}

std::size_t Deliverer::Lane::room() const {
  if (owner_.stopping_ || !owner_.ready_ || !paused_.empty() || settling_ >= settling_max) return 0;
  if (rests()) return 0;
  if (under_way_.bytes() >= owner_.options_.claim_bytes && !under_way_.empty()) return 0;
  const RouteOptions& route = options();
  const std::size_t limit = route.order == Order::fifo ? 1 : std::max<std::size_t>(route.concurrency, 1);
  return breaker_.room(under_way_.size() + claiming_, limit, net::Clock::now());
}

/// What a caller waits for is none: its delivery begins whenever room() says so.
std::size_t Deliverer::Lane::room_for_backlog() const {
  const auto now = net::Clock::now();
  const std::size_t young = under_way_.young_backlog(now) + claiming_;
  return std::min(room(), owner_.pace_.room(now, young, under_way_.typical()));
}

/// Sets when to look again if nothing happens before. Where there is no room for another reason than the
/// pace, the breaker's or the upstream's wish, something will: an attempt or a settlement ends, or the route
/// is resumed.
void Deliverer::Lane::set_alarm(std::size_t free) {
  alarm_.clear();
  if (free > 0) {
    net::Duration wait = look_every;
    if (claim_failed_) wait = claim_again;
    else if (next_due_) wait = std::clamp<milliseconds>(*next_due_ - owner_.clock_(), soon, look_every);
    alarm_.set(wait);
  } else if (room() > 0) {
    alarm_.set(under_way_.quick());  // those that fill the pace will not be young any more
  } else if (paused_.empty() && settling_ < settling_max) {
    const bool may_probe = breaker_.is_open() && under_way_.empty();
    if (!rests_until_ && !may_probe) return;
    const auto until = rests_until_ ? *rests_until_ : breaker_.probe_at();
    alarm_.set(std::max<net::Duration>(until - net::Clock::now(), soon));
  }
}

Awaitable<void> Deliverer::Lane::look(std::size_t free) {
  look_ = false;
  ClaimRequest request;
  request.route = route_;
  request.now = owner_.clock_();
  request.wait_max = longest_wait(options());
  request.events_max = free;
  const bool may_go_ahead = under_way_.is_quick() && !breaker_.is_open() && options().order == Order::none;
  if (may_go_ahead) request.events_max += ahead_max;
  request.bytes_max = owner_.options_.claim_bytes - std::min(under_way_.bytes(), owner_.options_.claim_bytes);
  claiming_ = free;
  auto claimed = co_await owner_.store_.claim(std::move(request));
  claiming_ = 0;
  claim_failed_ = !claimed;
  if (!claimed) co_return;  // the store's health says why
  next_due_ = claimed->next_due;
  // Room or bytes were what ended the list, so there is more behind it.
  if (!claimed->events.empty() && next_due_ && *next_due_ <= owner_.clock_()) look_ = true;
  for (DueEvent& due : claimed->events) ahead_.add(std::move(due));
}

/// As many as there is room for; none of them if there will be none soon.
void Deliverer::Lane::start_ahead() {
  if (ahead_.empty()) return;
  const bool is_held_up = !paused_.empty() || rests() || (breaker_.is_open() && room() == 0);
  if (is_held_up) {
    ahead_.give_back();
    look_ = true;
    return;
  }
  for (std::size_t free = room_for_backlog(); free > 0 && !ahead_.empty(); --free)
    start(ahead_.take(), Whose::backlog);
}

void Deliverer::Lane::offer(DueEvent due) {
  if (room() > 0) return start(std::move(due), Whose::caller);
  hand_in(release_of(due.event), due.event.ordered);
}

void Deliverer::Lane::start(DueEvent due, Whose whose) {
  auto delivery = std::make_unique<Delivery>(*this, std::move(due), whose);
  Delivery& started = *delivery;
  started.task = owner_.tasks_.spawn(attempt(std::move(delivery)));
}

Awaitable<void> Deliverer::Lane::attempt(std::unique_ptr<Delivery> delivery) {
  if (owner_.stopping_) co_return;
  Delivery& own = *delivery;
  const milliseconds timeout = options().retry.timeout;
  own.started_at = owner_.clock_();
  http::Request request = attempt_request(own.event, std::move(own.request), options());
  request.context.record = &own.record;
  net::Deadline limit(net::Deadlines::of(owner_.executor_.context()), [&own] {
    own.is_late = true;
    own.task->cancel();
  });
  limit.set(timeout);
  Exchange result;
  try {
    Exchange whole = co_await exchange(owner_.agents_, std::move(request), owner_.options_.answer_bytes);
    result = std::move(whole);
  } catch (const boost::system::system_error&) {
    if (!own.is_late) throw;
    result.outcome.error = own.lateness();
  }
  limit.clear();
  const auto state = co_await net::asio::this_coro::cancellation_state;
  if (result.outcome.error && state.cancelled() != net::asio::cancellation_type::none) {
    if (!own.is_late) co_return;  // we are stopping: the failure is ours, not the upstream's
    result.outcome.error = own.lateness();
  }
  finish(own, std::move(result));
}

void Deliverer::Lane::finish(Delivery& delivery, Exchange result) {
  const WallTime now = owner_.clock_();
  const Event& event = delivery.event;
  if (const auto asked = result.answer.fields.get("Retry-After"))
    result.outcome.retry_after = parse_retry_after(*asked, now);
  const Class end = classify(result.outcome, options());
  ++ends_.at(static_cast<std::size_t>(end));
  Settlement settlement = inbox::settle(event, result.outcome, options(), now, net::random_u32());
  if (end != Class::unseen) {
    settlement.attempt = attempt_of(delivery.record, result);
    settlement.attempt->number = event.attempts + 1;
    settlement.attempt->started_at = delivery.started_at;
    settlement.attempt->took = std::chrono::duration_cast<milliseconds>(net::Clock::now() - delivery.started);
  }
  if (log::enabled(log::Level::debug, "inbox"))
    log::debug("inbox", "{}: attempt {} of {}: {}, status {}", route_, event.attempts + 1,
               format_event_id(event.id),
               result.outcome.error ? error_name(result.outcome.error) : "answered", result.outcome.status);
  if (settlement.verdict == Settlement::Verdict::dead)
    log::warn("inbox", "{}: {} is a dead letter: {}", route_, format_event_id(event.id), settlement.reason);
  delivery.leave();
  result.answer.outcome = end;
  tell(event.id, std::move(result.answer));
  report(end, result.outcome);
  rest(rest_asked_for(result.outcome, options()));
  if (end == Class::gone && paused_.empty()) {
    set_paused(settlement.reason);
    owner_.tasks_.spawn(owner_.keep_paused(route_, paused_));
  }
  hand_in(std::move(settlement), event.ordered);
  notify();
}

void Deliverer::Lane::report(Class end, const Outcome& outcome) {
  const bool was_open = breaker_.is_open();
  const bool has_answered = !outcome.error && outcome.status != 0 && outcome.status < 500;
  // "Too many", "too early": the upstream lives, but a probe that ends so is no reason to send more.
  const bool says_nothing = end == Class::retry && has_answered && !was_open;
  if (end != Class::retry && end != Class::unseen) breaker_.succeeded();
  else if (!says_nothing) breaker_.failed(net::Clock::now(), net::random_u32());
  if (was_open == breaker_.is_open()) return;
  if (was_open) {
    wake();
    return log::info("inbox", "{}: the upstream takes events again", route_);
  }
  dismiss();
  const std::string last =
      outcome.error ? std::string(error_name(outcome.error)) : std::to_string(outcome.status);
  log::warn("inbox", "{}: attempts keep failing ({}), events are kept until a probe succeeds", route_, last);
}

/// The lane as a whole: each of its other events would only be told the same.
void Deliverer::Lane::rest(milliseconds asked_for) {
  if (asked_for.count() <= 0) return;
  const auto until = net::Clock::now() + asked_for;
  if (!rests())
    log::info("inbox", "{}: rests for {}, the upstream asks for it", route_, format_duration(asked_for));
  if (!rests_until_ || until > *rests_until_) rests_until_ = until;
}

void Deliverer::Lane::hand_in(Settlement settlement, bool is_ordered) {
  settlement.eager = is_ordered && settlement.verdict != Settlement::Verdict::retry;
  if (!owner_.ready_ || owner_.stopping_) return owner_.store_.settle_later(std::move(settlement));
  auto handover = std::make_unique<Handover>(*this, std::move(settlement), is_ordered);
  owner_.tasks_.spawn(settle(std::move(handover)));
}

/// Waits for the store, because only then a claim finds what the settlement has made due.
Awaitable<void> Deliverer::Lane::settle(std::unique_ptr<Handover> handover) {
  Settlement settlement = std::move(*handover->settlement);
  handover->settlement.reset();
  const auto verdict = settlement.verdict;
  const WallTime due_at = settlement.due_at;
  co_await owner_.store_.settle(std::move(settlement));
  using Verdict = Settlement::Verdict;
  if (verdict == Verdict::retry && (!next_due_ || due_at < *next_due_)) next_due_ = due_at;
  const bool is_unseen_by_claim = verdict == Verdict::retry && claiming_ > 0;  // it will replace next_due_
  const bool has_freed = verdict == Verdict::release || (verdict != Verdict::retry && handover->is_ordered);
  if (is_unseen_by_claim || has_freed) look_ = true;
  handover.reset();
  notify();
}

void Deliverer::Lane::wake() {
  look_ = true;
  notify();
}

void Deliverer::Lane::hope() {
  breaker_.hope(net::Clock::now());
  wake();
}

void Deliverer::Lane::set_paused(std::string reason) {
  if (reason.empty()) rests_until_.reset();  // somebody knows better
  if (reason == paused_) return notify();
  if (reason.empty()) log::info("inbox", "{}: deliveries are resumed", route_);
  else log::warn("inbox", "{}: deliveries are paused: {}", route_, reason);
  paused_ = std::move(reason);
  if (!paused_.empty()) dismiss();
  wake();
}

Awaitable<std::shared_ptr<Answer>> Deliverer::Lane::wait(EventId id, net::Clock::time_point limit) {
  std::shared_ptr<Answer> nothing;
  const bool rests_on = rests_until_ && *rests_until_ >= limit;
  const bool is_idle = owner_.stopping_ || !paused_.empty() || breaker_.is_open() || rests_on;
  if (is_idle && !under_way_.contains(id)) co_return nothing;
  const net::Duration left = limit - net::Clock::now();
  if (left <= net::Duration::zero()) co_return nothing;
  Waiter waiter(*this, id, left);
  while (!waiter.is_over) co_await waiter.news.wait();
  co_return std::move(waiter.answer);
}

void Deliverer::Lane::tell(EventId id, Answer answer) {
  const auto [begin, end] = waiters_.equal_range(id);
  if (begin == end) return;
  const auto shared = std::make_shared<Answer>(std::move(answer));
  for (auto each = begin; each != end; ++each) {
    if (each->second->is_over) continue;
    each->second->answer = shared;
    each->second->go();
  }
}

void Deliverer::Lane::dismiss() {
  for (const auto& [id, waiter] : waiters_)
    if (!under_way_.contains(id)) waiter->go();
}

boost::json::object Deliverer::Lane::to_json() const {
  boost::json::object lane;
  lane["route"] = route_;
  lane["running"] = under_way_.size();
  lane["paused"] = !paused_.empty();
  if (!paused_.empty()) lane["reason"] = paused_;
  lane["breaker"] = breaker_.is_open() ? "open" : "closed";
  lane["waiters"] = waiters_.size();
  boost::json::object& attempts = lane["attempts"].emplace_object();
  static constexpr const char* names[] = {"delivered", "retry", "rejected", "gone", "unseen"};  // as Class
  for (std::size_t i = 0; i < ends_.size(); ++i) attempts[names[i]] = ends_[i];
  return lane;
}

}  // namespace rockdove::inbox
