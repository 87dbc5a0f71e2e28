// A deliverer at work on a store in memory, and the upstream that a test scripts.
#pragma once

#include "inbox/deliverer.hpp"
#include "net/task_group.hpp"
#include "support/bodies.hpp"
#include "support/memory_store.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::inbox {

using namespace std::chrono_literals;

/// Everything behind `agents`: says what the script says next, 200 "ok" after its end.
class FakeUpstream final : public http::Handler {
 public:
  explicit FakeUpstream(net::Executor executor) : executor_(executor) {}

  std::deque<Result<int>> script;  ///< statuses and errors
  std::function<void(http::Response&)> dress;
  std::function<std::unique_ptr<http::Body>()> body;
  std::set<std::string> absent;       ///< tunnels without an agent: it is held or says so
  bool held = false;                  ///< nobody is answered while it is set
  bool reports_cancellation = false;  ///< as an error, instead of an exception
  std::vector<http::Request> seen;
  std::vector<std::string> targets() const {
    std::vector<std::string> all;
    for (const http::Request& request : seen) all.push_back(request.target);
    return all;
  }
  std::size_t running = 0, most_running = 0, cancelled = 0;

  Awaitable<Result<http::Response>> handle(http::Request&& request) override {
    struct Stay {
      explicit Stay(FakeUpstream& its_host) : host(its_host) {
        host.most_running = std::max(host.most_running, ++host.running);
      }
      ~Stay() {
        --host.running;
        host.cancelled += !is_answered;
      }
      FakeUpstream& host;
      bool is_answered = false;
    } stay(*this);
    const bool is_absent = absent.contains(request.context.tunnel);
    if (request.context.record && !is_absent) request.context.record->agent = "office";
    request.context.record = nullptr;
    seen.push_back(std::move(request));
    Result<int> next = 200;
    if (is_absent) next = Error::no_agent;
    else if (!script.empty()) {
      next = script.front();
      script.pop_front();
    }
    net::Timer pause(executor_);
    while (held) {
      pause.expires_after(1ms);
      const auto [error] = co_await pause.async_wait(net::token);
      if (error && reports_cancellation) co_return Error::cancelled;
    }
    stay.is_answered = true;
    if (!next) co_return next.error();
    http::Response response = http::make_response(*next, "text/plain", body ? "" : "ok");
    if (dress) dress(response);
    if (body) response.body = body();
    co_return response;
  }

 private:
  net::Executor executor_;
};

class SomeDeliveries : public testing::Test {
 protected:
  using Waited = std::shared_ptr<std::optional<std::shared_ptr<Answer>>>;

  void TearDown() override {
    if (!deliverer_) return;
    upstream_.held = false;
    test::on_loop(io_, [&] { deliverer_->stop(); });
    EXPECT_TRUE(test::run_until(io_, [&] { return tasks_.empty(); })) << "a task is left";
    EXPECT_EQ(upstream_.running, 0U);
    EXPECT_EQ(store_.claimed_count(), 0U) << "a claim is left";
  }

  RouteOptions& route(const std::string& name = "r") { return options_.routes[name]; }

  /// Also a restart, of what was stopped before.
  void start() {
    deliverer_.emplace(
        io_.get_executor(), store_, upstream_, [this] { return now_; }, options_);
    tasks_.spawn(deliverer_->run());
    settle_down();
  }

  NewEvent new_event(std::string target, std::string name = "r") const {
    NewEvent event;
    event.route = std::move(name);
    event.tunnel = "office";
    event.received_at = now_;
    event.request.method = "POST";
    event.request.target = std::move(target);
    event.request.has_body = true;
    event.request.body = "{}";
    return event;
  }
  NewEvent ordered_event(std::string target, std::string key, std::string name = "r") const {
    NewEvent event = new_event(std::move(target), std::move(name));
    event.ordered = true;
    event.order_key = std::move(key);
    return event;
  }
  EventId append(NewEvent event) { return test::run(io_, store_.append(std::move(event)))->id; }
  void wake() {
    test::on_loop(io_, [&] { deliverer_->wake("r"); });
  }

  /// Two of a backlog at a time, and an upstream that answers nobody.
  void start_beside_a_caller(net::Duration quick) {
    options_.pace = {.memory = 1h, .spacing = 1h, .together = 2};
    options_.quick = quick;
    upstream_.held = true;
    start();
    deliverer_->served_caller();
  }
  void append_backlog() {
    for (int i = 0; i < 6; ++i) append(new_event("/backlog"));
    wake();
  }

  /// Appends with a claim, delivers and waits, as one does who has a caller.
  std::pair<EventId, Waited> deliver(NewEvent event, net::Duration limit = 2s) {
    DueEvent due = claimed(std::move(event));
    const EventId id = due.event.id;
    const Waited waited = std::make_shared<std::optional<std::shared_ptr<Answer>>>();
    tasks_.spawn(deliver_and_wait(std::move(due), limit, waited));
    settle_down();
    return {id, waited};
  }
  Waited wait_for(EventId id, net::Duration limit = 2s) {
    const Waited waited = std::make_shared<std::optional<std::shared_ptr<Answer>>>();
    tasks_.spawn(wait(id, limit, waited));
    settle_down();
    return waited;
  }
  /// Appended with a claim, if it is not queued.
  DueEvent claimed(NewEvent event) {
    event.claim = true;
    DueEvent due;
    due.request = event.request;
    due.event = store_.event(append(std::move(event)));
    return due;
  }

  template <class Done>
  bool until(Done done) {
    return test::run_until(io_, done);
  }
  bool until_state(EventId id, State state) {
    return until([&] { return store_.event(id).state == state && !store_.is_claimed(id); });
  }
  bool until_calls(std::size_t calls) {
    return until([&] { return upstream_.seen.size() >= calls && upstream_.running == 0; });
  }
  /// Long enough for whatever would happen at once.
  void settle_down() { test::run_for(io_, 5ms); }

  net::IoContext io_;
  WallTime now_{1'800'000'000'000ms};
  test::MemoryStore store_{io_.get_executor()};
  FakeUpstream upstream_{io_.get_executor()};
  Deliverer::Options options_;
  std::optional<Deliverer> deliverer_;
  net::TaskGroup tasks_{io_.get_executor(), net::abort_on_error};

 private:
  Awaitable<void> wait(EventId id, net::Duration limit, Waited into) {
    auto answer = co_await deliverer_->wait(id, "r", net::Clock::now() + limit);
    into->emplace(std::move(answer));
  }
  Awaitable<void> deliver_and_wait(DueEvent due, net::Duration limit, Waited into) {
    const EventId id = due.event.id;
    if (store_.is_claimed(id)) deliverer_->deliver(std::move(due));
    co_await wait(id, limit, into);
  }
};

}  // namespace rockdove::inbox
