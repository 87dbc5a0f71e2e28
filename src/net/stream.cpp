#include "net/stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#if defined(__linux__)
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#endif

#include <algorithm>
#include <utility>

namespace rockdove::net {
namespace {

/// Bulk data that waits in the kernel is data that a ping cannot overtake; less than this starves the path.
[[maybe_unused]] constexpr int unsent_max = 128 * 1024;

#if defined(__linux__)
void set_tcp_option(TcpSocket& socket, int level, int name, int value) {
  // Best effort: a container without one of these still carries the link.
  ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}
#endif

}  // namespace

Stream::Stream(TcpSocket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;  // a connection that is gone already shows it at the first read
  peer_ = socket_.remote_endpoint(ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);  // a peer without power says no goodbye
}

Awaitable<Result<void>> Stream::accept_tls(TlsContext& context) {
  tls_ = std::make_unique<TlsSession>(context, TlsSession::Side::server);
  return handshake();
}

Awaitable<Result<void>> Stream::connect_tls(TlsContext& context, const TlsTrust& trust,
                                            const std::string& host) {
  tls_ = std::make_unique<TlsSession>(context, TlsSession::Side::client);
  if (auto expected = tls_->expect(trust, host); !expected) co_return expected.error();
  co_return co_await handshake();
}

Awaitable<Result<void>> Stream::handshake() {
  while (true) {
    const auto step = tls_->handshake();
    // An alert that says why goes out too.
    if (tls_->has_output()) {
      tls_->take_output(sealed_);
      const auto [error, written] = co_await asio::async_write(socket_, asio::buffer(sealed_), token);
      if (error && step) co_return error;
    }
    if (!step) co_return step.error() == asio::ssl::error::stream_truncated ? Error::closed : step.error();
    if (*step == TlsSession::Step::done) co_return Result<void>();
    if (*step == TlsSession::Step::ended) co_return Error::closed;
    auto [error, size] = co_await socket_.async_read_some(tls_->room(), token);
    if (!took(error, size)) co_return error;
  }
}

bool Stream::took(boost::system::error_code error, std::size_t size) {
  if (error == asio::error::eof) tls_->cut();
  else if (error) return false;
  tls_->arrived(size);
  return true;
}

bool Stream::open_some(asio::mutable_buffer into, std::size_t& count, boost::system::error_code& error) {
  const auto step = tls_->open(into, count);
  if (!step) error = step.error();
  else if (*step == TlsSession::Step::ended) error = asio::error::eof;
  else if (*step == TlsSession::Step::starved) return false;
  return true;
}

void Stream::seal_piece(asio::const_buffer piece, boost::system::error_code& error) {
  if (joined_.size() + piece.size() <= joined_max) {
    joined_.append(static_cast<const char*>(piece.data()), piece.size());
    return;
  }
  seal_rest(error);
  if (error) return;
  if (auto sealed = tls_->seal(piece); !sealed) error = sealed.error();
}

void Stream::seal_rest(boost::system::error_code& error) {
  if (!error && !joined_.empty())
    if (auto sealed = tls_->seal(asio::buffer(joined_)); !sealed) error = sealed.error();
  joined_.clear();
}

Awaitable<void> Stream::shutdown_write() {
  if (tls_) {
    tls_->seal_end();
    std::string alert;
    tls_->take_output(alert);
    co_await asio::async_write(socket_, asio::buffer(alert), token);
  }
  boost::system::error_code ignored;  // the peer may be gone already
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

void Stream::close() {
  boost::system::error_code ignored;
  tcp().close(ignored);
}

void Stream::cancel() {
  if (tls_) return close();
  boost::system::error_code ignored;
  tcp().cancel(ignored);
}

void Stream::tune_for_link([[maybe_unused]] Duration dead_after) {
  boost::system::error_code ignored;
  tcp().set_option(asio::socket_base::keep_alive(true), ignored);
#if defined(__linux__)
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(dead_after).count();
  const int limit = static_cast<int>(std::clamp<long long>(milliseconds, 1000, 3'600'000));
  const int interval = std::max(1, limit / 1000 / 4);  // three probes inside the limit
  set_tcp_option(tcp(), IPPROTO_TCP, TCP_KEEPIDLE, interval);
  set_tcp_option(tcp(), IPPROTO_TCP, TCP_KEEPINTVL, interval);
  set_tcp_option(tcp(), IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_tcp_option(tcp(), IPPROTO_TCP, TCP_USER_TIMEOUT, limit);
  set_tcp_option(tcp(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_max);
#endif
}

}  // namespace rockdove::net
