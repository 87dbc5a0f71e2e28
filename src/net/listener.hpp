// A listening socket: takes connections, bounds their number, owns the coroutines that serve them.
#pragma once

#include "net/asio.hpp"
#include "net/deadline.hpp"
#include "net/task_group.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace rockdove::net {

/// Loop thread only. join or cancel() must have returned before it is destroyed.
class Listener {
 public:
  struct Options {
    std::size_t connections_max = 10'000;  ///< served at a time; more go to on_overflow
    std::size_t overflow_max = 64;         ///< in on_overflow at a time; more are closed without a word
    Duration overflow_time = std::chrono::seconds(2);  ///< on_overflow is cancelled after it at the latest
    int backlog = 1024;                                ///< connections that wait in the kernel (listen(2))
  };
  /// Since construction, but for `active`.
  struct Counters {
    std::uint64_t accepted = 0;  ///< given to on_connection
    std::uint64_t overflow = 0;  ///< came while connections_max were being served
    std::size_t active = 0;      ///< in on_connection now
  };
  using OnConnection = std::function<Awaitable<void>(TcpSocket)>;

  /// Binds and listens: connections queue from now on and are taken once run() runs. "::" takes IPv4 callers
  /// too. `on_connection` serves one connection until it is over; `on_overflow`, if there is one, tells a
  /// caller that we are full. Throws std::runtime_error that names the address.
  Listener(Executor executor, const Endpoint& endpoint, const Options& options, OnConnection on_connection,
           OnConnection on_overflow = {});

  /// Takes over a socket that somebody else has bound and made listen (socket activation). Throws
  /// std::runtime_error if it is no listening TCP socket; it is not closed then.
  static std::unique_ptr<Listener> adopt(Executor executor, TcpAcceptor::native_handle_type socket,
                                         const Options& options, OnConnection on_connection,
                                         OnConnection on_overflow = {});

  /// The address bound; tells the real port when 0 was asked for.
  const Endpoint& endpoint() const { return endpoint_; }

  /// Takes connections until stop() or cancellation. Outlives a shortage of descriptors or memory.
  Awaitable<void> run();

  /// Takes the connections that wait in the kernel, and then no more. run() returns. The rest goes on.
  void stop();
  /// Waits until all connections have ended, at most `limit`; false if some have not.
  Awaitable<bool> drain(Duration limit);
  /// Tells all connections to end. Includes stop(). Does not wait: see drain() and cancel().
  void abort();
  /// Ends all connections and returns when they are gone. Includes stop().
  Awaitable<void> cancel();

  Counters counters() const { return {accepted_, overflow_count_, connections_.size()}; }

 private:
  Listener(TcpAcceptor acceptor, const Options& options, OnConnection on_connection,
           OnConnection on_overflow);

  void take(TcpSocket socket);
  void take_waiting();
  void refuse(TcpSocket socket);
  Awaitable<void> recover(boost::system::error_code error);

  Options options_;
  OnConnection on_connection_;
  OnConnection on_overflow_;
  TcpAcceptor acceptor_;
  Endpoint endpoint_;
  Timer pause_timer_;
  bool aborted_ = false;
  Duration pause_{};  ///< before the next try; zero: the last accept went well
  TaskGroup connections_;
  TaskGroup overflow_;
  Deadline overflow_limit_;
  Clock::time_point overflow_logged_{};
  std::uint64_t accepted_ = 0;
  std::uint64_t overflow_count_ = 0;
};

}  // namespace rockdove::net
