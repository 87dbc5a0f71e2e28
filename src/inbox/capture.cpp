#include "inbox/capture.hpp"

#include "http/forwarded.hpp"
#include "http/hop_by_hop.hpp"
#include "inbox/canned_answer.hpp"
#include "inbox/keys.hpp"
#include "net/address.hpp"
#include "net/log.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace rockdove::inbox {
namespace {

constexpr std::array live_methods{"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"};
// How long a duplicate waits for a delivery before it looks into the store, again and again.
constexpr std::chrono::milliseconds first_slice{50}, longest_slice{1'000};
constexpr std::string_view event_id_field = "Rockdove-Event-Id";

http::Response canned_response(CannedAnswer answer, EventId id) {
  http::Response response = make_response(std::move(answer));
  response.fields.add(event_id_field, format_event_id(id));
  return response;
}

bool is_final(Class outcome) {
  return outcome == Class::delivered || outcome == Class::reject || outcome == Class::gone;
}

/// The body of an answer that many callers get: it is there once, however many they are.
class SharedBody final : public http::Body {
 public:
  explicit SharedBody(std::shared_ptr<const Answer> answer) : answer_(std::move(answer)) {}

  Awaitable<Result<std::string_view>> read() override {
    std::string_view piece;
    if (!std::exchange(is_read_, true)) piece = answer_->body;
    co_return piece;
  }

 private:
  const std::shared_ptr<const Answer> answer_;
  bool is_read_ = false;
};

/// The upstream's own answer, as if it had streamed through.
http::Response to_response(std::shared_ptr<Answer> answer) {
  const bool is_ours = answer.use_count() == 1;
  http::Response response;
  response.status = answer->status;
  if (is_ours) response.fields = std::move(answer->fields);
  else response.fields = answer->fields;
  http::remove_hop_by_hop(response.fields);
  response.fields.remove("trailer");  // trailers are not kept
  if (http::is_bodiless({}, answer->status)) return response;
  response.has_body = true;
  response.fields.set("Content-Length", std::to_string(answer->body.size()));
  if (is_ours) response.content = std::move(answer->body);
  else response.body = std::make_unique<SharedBody>(std::move(answer));
  return response;
}

Event event_of(const NewEvent& from, const Appended& appended) {
  Event event;
  event.id = appended.id;
  event.route = from.route;
  event.tunnel = from.tunnel;
  event.state = appended.state;
  event.received_at = event.due_at = from.received_at;
  event.order_key = from.order_key;
  event.ordered = from.ordered;
  event.method = from.request.method;
  event.target = from.request.target;
  event.bytes =
      event.method.size() + event.target.size() + from.request.fields.bytes() + from.request.body.size();
  return event;
}

}  // namespace

/// A request's body whose bytes are counted as they come.
class Capture::HeldBody final : public http::Body {
 public:
  HeldBody(std::unique_ptr<http::Body> body, Held& held) : held_(held), body_(std::move(body)) {}

  Awaitable<Result<std::string_view>> read() override {
    const auto piece = co_await body_->read();
    if (piece && !held_.add(piece->size())) co_return Error::queue_full;
    co_return piece;
  }
  const http::Fields& trailers() const override { return body_->trailers(); }

 private:
  Held& held_;
  std::unique_ptr<http::Body> body_;
};

/// An operation of the store and whoever waits for it: shared, because either may end first.
template <class T>
struct Capture::Call {
  explicit Call(net::Executor executor) : news(executor) {}

  net::Event news;
  std::optional<Result<T>> result;
  bool is_late = false;                           ///< the time was up
  bool is_left = false;                           ///< nobody waits any longer
  std::function<void(const Result<T>&)> on_left;  ///< gets a result that nobody has taken; may be empty
  /// What the operation holds of the memory, as long as it has the request, which may be long after the
  /// caller was refused: a disk that hangs soon refuses everybody else. May be null.
  std::shared_ptr<Held> held;

  /// Whoever waits lets go, cancelled or not.
  void leave() {
    is_left = true;
    if (result && on_left) on_left(*result);
    result.reset();
  }
};

template <class T>
Awaitable<void> Capture::run(std::shared_ptr<Call<T>> call, Awaitable<Result<T>> operation) {
  call->result = co_await std::move(operation);
  if (call->is_left) call->leave();
  else call->news.notify();
}

/// The operation's result; nullopt when `until` has passed before: then it is for `on_left`.
template <class T>
Awaitable<std::optional<Result<T>>> Capture::ask(std::shared_ptr<Call<T>> call,
                                                 Awaitable<Result<T>> operation,
                                                 net::Clock::time_point until) {
  struct Leave {
    Call<T>& call;
    ~Leave() { call.leave(); }
  } leave{*call};
  net::Deadline deadline(net::Deadlines::of(executor_.context()), [state = call.get()] {
    state->is_late = true;
    state->news.notify();
  });
  deadline.set(std::max<net::Duration>(until - net::Clock::now(), net::Duration(1)));
  tasks_.spawn(run(call, std::move(operation)));
  while (!call->result && !call->is_late) co_await call->news.wait();
  std::optional<Result<T>> result = std::move(call->result);
  call->result.reset();
  co_return result;
}

Capture::Capture(net::Executor executor, Store& store, Deliverer& deliverer, WallClock clock, Options options)
    : executor_(executor),
      store_(store),
      deliverer_(deliverer),
      clock_(std::move(clock)),
      options_(options),
      memory_(options.memory),
      tasks_(executor, net::abort_on_error) {}

bool Capture::takes(const http::Request& request, const RouteOptions& route) {
  if (route.mode == Mode::live || !request.upgrade.empty()) return false;
  for (const std::string_view method : live_methods)
    if (request.method == method) return false;
  return true;
}

Awaitable<Result<http::Response>> Capture::handle(http::Request request,
                                                  std::shared_ptr<const RouteOptions> options) {
  auto held = co_await read(request, options->body_bytes);
  if (!held) co_return held.error();
  EventFacts facts;
  auto response = co_await keep(std::move(request), std::move(options), std::move(facts), std::move(*held));
  co_return response;
}

Awaitable<Result<http::Response>> Capture::keep(http::Request request,
                                                std::shared_ptr<const RouteOptions> options, EventFacts facts,
                                                Hold held) {
  const RouteOptions& route = *options;
  // The deadline counts from here: how long its body takes is the caller's own affair.
  const bool is_automatic = route.mode == Mode::automatic;
  const auto until = net::Clock::now() + time_for(route);
  const std::string route_name = request.context.route;
  NewEvent event = make_event(request, route, facts);
  // Delivered from memory if there is room for a second copy, else as the store gives it back.
  std::optional<NewEvent> copy;
  if (is_automatic && held->add(event.request.body.size())) copy = event;
  event.claim = copy.has_value();

  auto call = appending(route_name, held);
  auto operation = store_.append(std::move(event));
  const auto result = co_await ask(call, std::move(operation), until);
  if (!result || !*result) {
    ++counters_.refused;
    log_refusal(request.context, result ? result->error() : make_error_code(Error::timed_out));
    co_return Error::unavailable;
  }
  const Appended appended = **result;
  if (appended.duplicate) {
    ++counters_.duplicates;
    auto again = co_await answer_again(appended, route_name, route, until);
    co_return again;
  }
  ++counters_.stored;
  if (appended.claimed) {
    DueEvent due{event_of(*copy, appended), std::move(copy->request)};
    copy.reset();
    deliverer_.deliver(std::move(due));
  } else {
    deliverer_.wake(route_name);
  }
  // One that has to wait for its turn may wait for long.
  if (!is_automatic || appended.state != State::waiting) co_return acknowledge(route, appended.id);
  auto answer = co_await await_answer(appended.id, route_name, route, until);
  co_return answer;
}

/// How long a caller waits, for the store at least.
net::Duration Capture::time_for(const RouteOptions& route) const {
  if (route.deadline.count() == 0) return options_.commit_limit;
  const net::Duration deadline = route.deadline;
  return route.mode == Mode::automatic ? deadline : std::min(deadline, options_.commit_limit);
}

Awaitable<Result<Capture::Hold>> Capture::read(http::Request& request, std::size_t limit) {
  return read_into(std::make_shared<Held>(memory_, true), request, limit);
}

Awaitable<Result<Capture::Hold>> Capture::read_unproven(http::Request& request, std::size_t limit) {
  const std::size_t most = std::min(limit, HeldMemory::unproven_max(options_.memory));
  return read_into(std::make_shared<Held>(memory_, false), request, most);
}

Awaitable<Result<Capture::Hold>> Capture::read_into(Hold held, http::Request& request, std::size_t limit) {
  const auto done = co_await read_whole(request, limit, *held);
  if (done) co_return std::move(held);
  ++counters_.refused;
  co_return done.error();
}

Capture::Hold Capture::hold(std::size_t bytes) {
  auto held = std::make_shared<Held>(memory_, true);
  if (held->add(bytes)) return held;
  ++counters_.refused;
  return nullptr;
}

Awaitable<Result<void>> Capture::read_whole(http::Request& request, std::size_t limit, Held& held) {
  // Refused before the caller has sent it, if it says so.
  if (http::announced_length(request.fields).value_or(0) > limit) co_return Error::body_too_large;
  if (!held.add(request.content.size())) co_return Error::queue_full;
  if (request.body) request.body = std::make_unique<HeldBody>(std::move(request.body), held);
  const auto read = co_await http::read_all(request, limit);
  co_return read;
}

/// Takes the request's content.
NewEvent Capture::make_event(http::Request& request, const RouteOptions& route,
                             const EventFacts& facts) const {
  http::add_made_fields(request);  // stored as the upstream is to get it
  const http::Context& context = request.context;
  NewEvent event;
  event.route = context.route;
  event.tunnel = context.tunnel;
  event.received_at = clock_();
  event.dedupe_key = dedupe_key(route.dedupe, request.fields, request.content, facts);
  if (!event.dedupe_key.empty()) event.dedupe_until = event.received_at + route.dedupe_window;
  if (route.order == Order::fifo) event.ordered = true;
  if (route.order == Order::key)
    if (auto key = find_key(route.order_key, request.fields, request.content, facts)) {
      event.ordered = true;
      event.order_key = std::move(*key);
    }
  StoredRequest& stored = event.request;
  stored.method = request.method;
  stored.target = request.target;
  stored.fields = std::move(request.fields);
  stored.has_body = request.has_body;
  stored.body = std::move(request.content);
  stored.request_id = context.request_id;
  stored.peer = net::to_string(context.peer);
  stored.tls = context.tls;
  stored.upstream = context.upstream;
  stored.host = context.host;
  return event;
}

/// The store's health says why; a full disk is not to be filled with this.
void Capture::log_refusal(const http::Context& context, boost::system::error_code error) {
  const auto others = refusals_.pass();
  if (!others) return;
  const std::string_view cause = error == Error::timed_out ? "the store took too long" : error_name(error);
  log::warn("inbox", "{}: request {} was not stored: {}{}", context.route, context.request_id, cause,
            *others);
}

/// If the caller is gone, or told that its event is not safe, the event may be stored all the same: then it
/// is delivered like any other, and must not stay claimed by nobody.
std::shared_ptr<Capture::Call<Appended>> Capture::appending(std::string route, Hold held) {
  auto call = std::make_shared<Call<Appended>>(executor_);
  call->held = std::move(held);
  call->on_left = [this, route = std::move(route)](const Result<Appended>& result) {
    if (!result || result->duplicate) return;
    if (result->claimed) {
      Settlement settlement;
      settlement.id = result->id;
      settlement.verdict = Settlement::Verdict::release;
      store_.settle_later(std::move(settlement));
    }
    deliverer_.wake(route);
  };
  return call;
}

Awaitable<http::Response> Capture::await_answer(EventId id, std::string route_name, const RouteOptions& route,
                                                net::Clock::time_point until) {
  auto answer = co_await deliverer_.wait(id, std::move(route_name), until);
  if (!answer) co_return acknowledge(route, id);
  co_return conclude(std::move(answer), route, id);
}

/// To a duplicate. An open event's answer comes from its delivery, or from the store if it has ended just
/// before anybody waited for it; until that is committed, neither knows it, so both are asked in turn.
Awaitable<http::Response> Capture::answer_again(Appended earlier, std::string route_name,
                                                const RouteOptions& route, net::Clock::time_point until) {
  const EventId id = earlier.id;
  const bool is_open = earlier.state == State::waiting || earlier.state == State::queued;
  const bool has_answer = route.mode == Mode::automatic && earlier.state != State::quarantined;
  net::Duration slice = first_slice;
  for (bool goes_on = has_answer; goes_on;) {
    if (is_open) {
      const auto slice_end = std::min(until, net::Clock::now() + slice);
      auto answer = co_await deliverer_.wait(id, route_name, slice_end);
      if (answer) co_return conclude(std::move(answer), route, id);
      slice = std::min<net::Duration>(slice * 2, longest_slice);
      goes_on =
          net::Clock::now() >= slice_end && slice_end < until;  // else there is none soon, or it is late
    } else {
      goes_on = false;
    }
    auto stored = co_await stored_answer(id, route, until);
    if (!stored) continue;
    ++counters_.answered;
    co_return std::move(*stored);
  }
  co_return acknowledge(route, id);
}

/// The answer that ended the event, if there is one and it is whole.
Awaitable<std::optional<http::Response>> Capture::stored_answer(EventId id, const RouteOptions& route,
                                                                net::Clock::time_point until) {
  std::optional<http::Response> response;
  auto call = std::make_shared<Call<Attempt>>(executor_);
  auto operation = store_.last_answer(id);
  auto result = co_await ask(call, std::move(operation), until);
  if (!result || !*result) co_return response;
  Attempt& last = **result;
  Outcome outcome;
  outcome.status = last.status;
  outcome.has_body = !last.body.empty();
  // The last answer of an event that was given up may have said "later".
  const bool is_last_word = last.status != 0 && last.error.empty() && is_final(classify(outcome, route));
  if (is_last_word && last.body.size() < answer_bytes_max)
    response = canned_response({last.status, std::move(last.type), std::move(last.body)}, id);
  co_return response;
}

http::Response Capture::conclude(std::shared_ptr<Answer> answer, const RouteOptions& route, EventId id) {
  if (!is_final(answer->outcome) || answer->is_cut) return acknowledge(route, id);
  ++counters_.answered;
  return to_response(std::move(answer));
}

http::Response Capture::acknowledge(const RouteOptions& route, EventId id) {
  ++counters_.acked;
  return canned_response(route.ack, id);
}

}  // namespace rockdove::inbox
