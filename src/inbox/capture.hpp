// The inbox as a Handler: a request goes to disk before anybody says yes to it.
#pragma once

#include "http/handler.hpp"
#include "inbox/deliverer.hpp"
#include "inbox/held_memory.hpp"
#include "inbox/route_options.hpp"
#include "inbox/store.hpp"
#include "net/log_pace.hpp"
#include "net/task_group.hpp"

#include <memory>
#include <optional>
#include <string>

namespace rockdove::inbox {

/// Serves the routes whose mode is `inbox` or `automatic`. Requests that change nothing (GET, HEAD, OPTIONS,
/// TRACE) and protocol switches are for others: see takes().
class Capture {
 public:
  struct Options {
    /// Bytes of requests held at a time, those the store still has to do with included; above:
    /// Error::queue_full. Shared as HeldMemory says.
    std::size_t memory = 256 * 1024 * 1024;
    /// Mode inbox: a slower disk is Error::unavailable. A shorter deadline of the route counts.
    net::Duration commit_limit = std::chrono::milliseconds(2000);
  };
  /// Memory that a request takes of Options::memory, until the last copy of the pointer is gone.
  using Hold = std::shared_ptr<Held>;
  struct Counters {
    std::uint64_t stored = 0, duplicates = 0, acked = 0, answered = 0, refused = 0;
  };

  Capture(net::Executor executor, Store& store, Deliverer& deliverer, WallClock clock, Options options);

  /// True for a request that is stored on a route of these options.
  static bool takes(const http::Request& request, const RouteOptions& route);

  /// Reads the whole body into the request's content. Errors: body_too_large above `limit` bytes, queue_full,
  /// those of reading it.
  Awaitable<Result<Hold>> read(http::Request& request, std::size_t limit);
  /// The same of a request that may come from anybody, until Held::note_proof(): it has less of the memory.
  /// Above HeldMemory::unproven_max(): body_too_large.
  Awaitable<Result<Hold>> read_unproven(http::Request& request, std::size_t limit);
  /// Room for `bytes` more; null if there is none.
  Hold hold(std::size_t bytes);

  /// Stores the request, whose body has been read(), and answers: the acknowledgement, or by `automatic` the
  /// upstream's own answer when that comes by the deadline, counted from the end of the request's body, and
  /// is final (delivered or rejected). `context.route` and `context.tunnel` are set; `options` are the
  /// route's, which may get others meanwhile. By `automatic` a duplicate of an ended event gets the stored
  /// answer, and one of an event under way waits for it. If the store refuses or takes too long:
  /// Error::unavailable, so that the provider tries again. Cancelling it may leave the event stored; it is
  /// delivered then.
  Awaitable<Result<http::Response>> keep(http::Request request, std::shared_ptr<const RouteOptions> options,
                                         EventFacts facts, Hold held);
  /// read() and keep() of a request of which nothing is known but its bytes.
  Awaitable<Result<http::Response>> handle(http::Request request,
                                           std::shared_ptr<const RouteOptions> options);

  /// Waits for what the store still owes to calls of handle() that did not wait for it. Before the store and
  /// the deliverer end, and once no handle() is left.
  Awaitable<void> join() { return tasks_.join(); }

  const Counters& counters() const { return counters_; }

 private:
  class HeldBody;
  template <class T>
  struct Call;

  template <class T>
  static Awaitable<void> run(std::shared_ptr<Call<T>> call, Awaitable<Result<T>> operation);
  template <class T>
  Awaitable<std::optional<Result<T>>> ask(std::shared_ptr<Call<T>> call, Awaitable<Result<T>> operation,
                                          net::Clock::time_point until);
  net::Duration time_for(const RouteOptions& route) const;
  Awaitable<Result<Hold>> read_into(Hold held, http::Request& request, std::size_t limit);
  Awaitable<Result<void>> read_whole(http::Request& request, std::size_t limit, Held& held);
  NewEvent make_event(http::Request& request, const RouteOptions& route, const EventFacts& facts) const;
  std::shared_ptr<Call<Appended>> appending(std::string route, Hold held);
  void log_refusal(const http::Context& context, boost::system::error_code error);
  Awaitable<http::Response> await_answer(EventId id, std::string route_name, const RouteOptions& route,
                                         net::Clock::time_point until);
  Awaitable<http::Response> answer_again(Appended earlier, std::string route_name, const RouteOptions& route,
                                         net::Clock::time_point until);
  Awaitable<std::optional<http::Response>> stored_answer(EventId id, const RouteOptions& route,
                                                         net::Clock::time_point until);
  http::Response conclude(std::shared_ptr<Answer> answer, const RouteOptions& route, EventId id);
  http::Response acknowledge(const RouteOptions& route, EventId id);

  net::Executor executor_;
  Store& store_;
  Deliverer& deliverer_;
  const WallClock clock_;
  const Options options_;
  Counters counters_;
  HeldMemory memory_;
  net::LogPace refusals_;
  net::TaskGroup tasks_;  // operations of the store, each of which may outlive the call that wants it
};

}  // namespace rockdove::inbox
