#include "net/listener.hpp"

#include "net/address.hpp"
#include "net/log.hpp"

#include <boost/asio/ip/v6_only.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rockdove::net {
namespace {

constexpr Duration first_pause = std::chrono::milliseconds(50);
constexpr Duration longest_pause = std::chrono::seconds(1);
constexpr Duration overflow_log_interval = std::chrono::seconds(10);

TcpAcceptor open(Executor executor, const Endpoint& endpoint, int backlog) {
  try {
    TcpAcceptor acceptor(executor, endpoint.protocol());
#if !defined(_WIN32)
    // On Windows the option means something else: that others may take the port.
    acceptor.set_option(TcpAcceptor::reuse_address(true));
#endif
    if (endpoint.address().is_v6() && endpoint.address().is_unspecified())
      acceptor.set_option(asio::ip::v6_only(false));
    acceptor.bind(endpoint);
    acceptor.listen(backlog);
    return acceptor;
  } catch (const boost::system::system_error& failure) {
    throw std::runtime_error("cannot listen on " + to_string(endpoint) + ": " + failure.code().message());
  }
}

TcpAcceptor wrap(Executor executor, TcpAcceptor::native_handle_type socket) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, reinterpret_cast<char*>(&listening), &size) != 0 ||
      listening == 0)
    throw std::runtime_error("cannot use the inherited socket: it does not listen");
  TcpAcceptor acceptor(executor);
  boost::system::error_code error;
  acceptor.assign(asio::ip::tcp::v6(), socket, error);  // the socket knows its own family; Asio does not ask
  if (error) throw std::runtime_error("cannot use the inherited socket: " + error.message());
  return acceptor;
}

}  // namespace

Listener::Listener(TcpAcceptor acceptor, const Options& options, OnConnection on_connection,
                   OnConnection on_overflow)
    : options_(options),
      on_connection_(std::move(on_connection)),
      on_overflow_(std::move(on_overflow)),
      acceptor_(std::move(acceptor)),
      endpoint_(acceptor_.local_endpoint()),
      pause_timer_(acceptor_.get_executor()),
      connections_(acceptor_.get_executor(), abort_on_error),
      overflow_(acceptor_.get_executor(), abort_on_error),
      overflow_limit_(Deadlines::of(acceptor_.get_executor().context()), [this] { overflow_.cancel(); }) {}

Listener::Listener(Executor executor, const Endpoint& endpoint, const Options& options,
                   OnConnection on_connection, OnConnection on_overflow)
    : Listener(open(executor, endpoint, options.backlog), options, std::move(on_connection),
               std::move(on_overflow)) {}

std::unique_ptr<Listener> Listener::adopt(Executor executor, TcpAcceptor::native_handle_type socket,
                                          const Options& options, OnConnection on_connection,
                                          OnConnection on_overflow) {
  return std::unique_ptr<Listener>(
      new Listener(wrap(executor, socket), options, std::move(on_connection), std::move(on_overflow)));
}

Awaitable<void> Listener::run() {
  const Executor executor = connections_.executor();
  while (acceptor_.is_open()) {
    TcpSocket socket(executor);
    const auto [error] = co_await acceptor_.async_accept(socket, token);
    const bool is_late = aborted_ || (error && !acceptor_.is_open());
    if (is_late) break;
    if (!error) {  // also one that came just before stop()
      pause_ = Duration::zero();
      take(std::move(socket));
    } else if (error != asio::error::operation_aborted && error != asio::error::connection_aborted) {
      co_await recover(error);
    }
  }
}

void Listener::take(TcpSocket socket) {
  if (connections_.size() >= options_.connections_max) return refuse(std::move(socket));
  ++accepted_;
  connections_.spawn(on_connection_(std::move(socket)));
}

void Listener::refuse(TcpSocket socket) {
  ++overflow_count_;
  const auto now = Clock::now();
  if (overflow_logged_ == Clock::time_point{} || now - overflow_logged_ > overflow_log_interval) {
    overflow_logged_ = now;
    log::warn("net", "{} serves {} connections, the most allowed: more are refused", to_string(endpoint_),
              options_.connections_max);
  }
  if (!on_overflow_ || overflow_.size() >= options_.overflow_max) return;
  overflow_.spawn(on_overflow_(std::move(socket)));
  // One limit for all of them: it may cut a young one short, and each has only a few bytes to write.
  if (!overflow_limit_.is_set()) overflow_limit_.set(options_.overflow_time);
}

Awaitable<void> Listener::recover(boost::system::error_code error) {
  // One line a burst: at a shortage the log must not be the next thing to run out.
  if (pause_ == Duration::zero())
    log::error("net", "cannot take connections on {}: {}; trying again", to_string(endpoint_),
               error.message());
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  pause_timer_.expires_after(pause_);
  co_await pause_timer_.async_wait(token);
}

/// Who has connected already would be reset when the socket is closed.
void Listener::take_waiting() {
  boost::system::error_code error;
  acceptor_.non_blocking(true, error);
  for (int left = options_.backlog; left > 0 && !error; --left) {
    TcpSocket socket(connections_.executor());
    acceptor_.accept(socket, error);
    if (!error) take(std::move(socket));
  }
}

void Listener::stop() {
  boost::system::error_code ignored;
  if (acceptor_.is_open() && !aborted_) take_waiting();
  acceptor_.close(ignored);
  pause_timer_.cancel();
}

Awaitable<bool> Listener::drain(Duration limit) {
  return connections_.join_for(limit);
}

void Listener::abort() {
  aborted_ = true;
  stop();
  connections_.cancel();
  overflow_.cancel();
}

Awaitable<void> Listener::cancel() {
  abort();
  co_await connections_.join();
  co_await overflow_.join();
}

}  // namespace rockdove::net
