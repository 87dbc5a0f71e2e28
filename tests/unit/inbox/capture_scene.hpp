// What the tests of the capture share: a store in memory, a real deliverer, and an upstream to order.
#pragma once

#include "inbox/capture.hpp"

#include "support/bodies.hpp"
#include "support/memory_store.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::inbox {

using namespace std::chrono_literals;
using test::run;
using test::run_until;

/// A capture, a real deliverer and an upstream that answers as `upstream` says.
class CaptureTest : public testing::Test {
 protected:
  CaptureTest() {
    ack_.status = 202;
    ack_.body = "kept";
    start();
  }
  ~CaptureTest() override {
    gate_open = true;
    store.hold_appends = false;
    deliverer->stop();
    group.cancel();
    run(io, group.join());
    run(io, capture->join());
  }

  void start(Capture::Options options = {}, std::size_t answer_bytes = 1024) {
    Deliverer::Options delivery;
    delivery.answer_bytes = answer_bytes;
    if (deliverer) {
      deliverer->stop();
      run(io, group.join());
    }
    deliverer = std::make_unique<Deliverer>(io.get_executor(), store, upstream, clock, delivery);
    capture = std::make_unique<Capture>(io.get_executor(), store, *deliverer, clock, options);
    group.spawn(deliverer->run());
  }

  RouteOptions route(Mode mode, std::chrono::milliseconds deadline = 2s) const {
    RouteOptions options;
    options.mode = mode;
    options.deadline = deadline;
    options.ack = ack_;
    options.dedupe = {KeyRule{KeyRule::From::header, "X-Id"}};
    return options;
  }

  http::Request post(std::string content, std::string id = {}) const {
    http::Request request = test::request_of("POST", "/hook?a=%20", std::move(content));
    request.fields.add("Host", "example.com");
    if (!id.empty()) request.fields.add("X-Id", id);
    request.context.route = "hook";
    request.context.tunnel = "bot";
    request.context.request_id = "r1";
    request.context.peer = net::asio::ip::make_address("192.0.2.1");
    return request;
  }

  /// "202 kept", or the name of the error; the answer's fields go to `fields`.
  std::string send(http::Request request, RouteOptions options) {
    auto answer = run(
        io, capture->handle(std::move(request), std::make_shared<const RouteOptions>(std::move(options))));
    if (!answer) return std::string(error_name(answer.error()));
    EXPECT_TRUE(run(io, http::read_all(*answer, 16 * 1024 * 1024)));
    fields = answer->fields;
    return std::to_string(answer->status) + " " + answer->content;
  }

  /// Spawns the call; `outcome` gets what send() would return.
  net::TaskGroup::Task send_beside(http::Request request, RouteOptions options, std::string& outcome) {
    return group.spawn(send_for(std::move(request), std::move(options), &outcome));
  }

  EventId only_id() {
    auto page = run(io, store.list({}));
    EXPECT_EQ(page->events.size(), 1U);
    return page->events.empty() ? 0 : page->events[0].id;
  }
  State state() { return store.event(only_id()).state; }
  bool wait_for(State wanted) {
    return run_until(io, [&] { return store.size() == 1 && store.event(first_id()).state == wanted; });
  }
  EventId first_id() const { return first_id_at(now_) /* ids of the memory store follow the clock */; }

  net::Awaitable<void> send_for(http::Request request, RouteOptions options, std::string* outcome) {
    auto answer = co_await capture->handle(std::move(request),
                                           std::make_shared<const RouteOptions>(std::move(options)));
    if (answer) (void)co_await http::read_all(*answer, 16 * 1024 * 1024);
    *outcome = answer ? std::to_string(answer->status) + " " + answer->content
                      : std::string(error_name(answer.error()));
  }

  /// `request` and `outcome` outlive the call.
  net::Awaitable<void> read_beside(http::Request& request, std::string& outcome) {
    const auto held = co_await capture->read_unproven(request, 1000);
    outcome = held ? "read" : std::string(error_name(held.error()));
  }

  net::Awaitable<void> hand_over(http::Request request, RouteOptions options,
                                 std::function<void(Result<http::Response>)> to) {
    auto answer = co_await capture->handle(std::move(request),
                                           std::make_shared<const RouteOptions>(std::move(options)));
    to(std::move(answer));
  }

  net::Awaitable<test::Answer> respond(http::Request request) {
    seen.push_back(request.content);
    while (!gate_open) {
      net::Timer pause(io.get_executor(), 1ms);
      co_await pause.async_wait(net::asio::use_awaitable_t<net::Executor>());
    }
    if (error) co_return *error;
    http::Response response = http::make_response(status, "a/b", body);
    response.fields.add("X-Own", "1");
    response.fields.add("Connection", "close");
    if (is_chunked) response.fields.remove("content-length");
    if (http::is_bodiless({}, status)) {
      response = http::Response();
      response.status = status;
    }
    co_return std::move(response);
  }

  const WallTime now_{std::chrono::milliseconds(1'800'000'000'000)};
  net::IoContext io;
  test::MemoryStore store{io.get_executor()};
  int status = 200;
  std::string body = "own";
  std::optional<Error> error;
  bool gate_open = true, is_chunked = false;
  std::vector<std::string> seen;
  test::FunctionHandler upstream{[this](http::Request request) { return respond(std::move(request)); }};
  WallClock clock = [this] { return now_; };
  net::TaskGroup group{io.get_executor(), net::abort_on_error};
  std::unique_ptr<Deliverer> deliverer;
  std::unique_ptr<Capture> capture;
  http::Fields fields;
  CannedAnswer ack_;
};

}  // namespace rockdove::inbox
