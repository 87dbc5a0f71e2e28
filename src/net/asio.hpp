// The only place that names Asio's types: what the rest of the program builds its I/O from.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.hpp"

#include <chrono>

namespace rockdove::net {

namespace asio = boost::asio;

using IoContext = asio::io_context;
using Executor = IoContext::executor_type;
/// Every coroutine of the program; it runs on the one loop thread.
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
/// Failures come back as values: `auto [ec, n] = co_await socket.async_read_some(buffer, token);`
/// Deferred: the operation starts in co_await itself, without a coroutine frame of its own.
using Token = asio::as_tuple_t<asio::deferred_t>;
inline constexpr Token token{asio::deferred};

using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;
using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Endpoint = asio::ip::tcp::endpoint;
using Address = asio::ip::address;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

}  // namespace rockdove::net

namespace rockdove {
using net::Awaitable;
}
