// Drives a loop from a plain test: `auto answer = run(io, client.get("/"));`
#pragma once

#include "net/asio.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>

namespace rockdove::test {

/// No test waits longer than this for something that is going to happen.
inline constexpr net::Duration run_limit = std::chrono::seconds(5);

/// Runs `io` until `done()` says so; false once `limit` has passed or the loop has nothing left to do.
template <class Done>
bool run_until(net::IoContext& io, Done done, net::Duration limit = run_limit) {
  const auto end = net::Clock::now() + limit;
  io.restart();
  while (!done())
    if (io.run_one_until(end) == 0) return done();
  return true;
}

/// Runs `io` for `span`, whatever happens.
inline void run_for(net::IoContext& io, net::Duration span) {
  io.restart();
  io.run_for(span);
}

/// Looks again and again whether `condition` holds, which other threads bring about; false if it does not
/// come to that.
template <class Condition>
bool eventually(Condition condition) {
  const auto end = net::Clock::now() + run_limit;
  while (!condition()) {
    if (net::Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// Does `action` on the loop, as what may only be called from there wants it.
template <class Action>
void on_loop(net::IoContext& io, Action action) {
  bool done = false;
  net::asio::post(io, [&] {
    action();
    done = true;
  });
  run_until(io, [&] { return done; });
}

/// Runs `io` until `task` is done and returns its value; rethrows what leaves it. Other work of the loop
/// goes on meanwhile and stays where it was. Throws std::runtime_error if the task is not done in time, or
/// waits for something that nobody is going to do.
template <class T>
T run(net::IoContext& io, net::Awaitable<T> task, net::Duration limit = run_limit) {
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>>;
  struct Outcome {
    bool done = false;
    std::exception_ptr error;
    Value value{};
  };
  // Shared, because a task that is late outlives this frame.
  const auto outcome = std::make_shared<Outcome>();
  if constexpr (std::is_void_v<T>) {
    net::asio::co_spawn(io.get_executor(), std::move(task), [outcome](std::exception_ptr error) {
      outcome->error = error;
      outcome->done = true;
    });
  } else {
    // The optional spares T a default constructor.
    auto wrapped = [](net::Awaitable<T> inner) -> net::Awaitable<std::optional<T>> {
      T value = co_await std::move(inner);
      co_return std::optional<T>(std::move(value));
    };
    net::asio::co_spawn(io.get_executor(), wrapped(std::move(task)),
                        [outcome](std::exception_ptr error, std::optional<T> value) {
                          outcome->error = error;
                          outcome->value = std::move(value);
                          outcome->done = true;
                        });
  }
  if (!run_until(
          io, [&] { return outcome->done; }, limit))
    throw std::runtime_error("the task was not done in time");
  if (outcome->error) std::rethrow_exception(outcome->error);
  if constexpr (!std::is_void_v<T>) return std::move(*outcome->value);
}

}  // namespace rockdove::test
