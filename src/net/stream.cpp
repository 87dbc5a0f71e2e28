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

boost::system::error_code handshake_error(boost::system::error_code error) {
  if (error.category() == asio::error::get_ssl_category()) {
    const auto packed = static_cast<unsigned long>(error.value());
    if (ERR_GET_LIB(packed) == ERR_LIB_SSL && ERR_GET_REASON(packed) == SSL_R_CERTIFICATE_VERIFY_FAILED)
      return Error::untrusted_server;
  }
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) return Error::closed;
  return error;
}

/// The close_notify alert as it goes over the wire; empty if the session cannot send one. Asio's own shutdown
/// waits for the peer's alert too, and fails on data that the peer still sends: no half-close. So the session
/// writes this one record into a buffer of its own instead of into Asio's.
std::string take_close_notify(SSL* session) {
  BIO* const usual = SSL_get_wbio(session);
  BIO* const aside = BIO_new(BIO_s_mem());
  if (!usual || !aside) return {};
  BIO_up_ref(usual);
  BIO_up_ref(aside);
  SSL_set0_wbio(session, aside);
  SSL_shutdown(session);
  ERR_clear_error();
  SSL_set0_wbio(session, usual);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(aside, &bytes);
  std::string record(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
  BIO_free(aside);
  return record;
}

#if defined(__linux__)
void set_tcp_option(TcpSocket& socket, int level, int name, int value) {
  // Best effort: a container without one of these still carries the link.
  ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}
#endif

}  // namespace

Stream::Stream(TcpSocket socket) : plain_(std::move(socket)) {
  boost::system::error_code ignored;  // a connection that is gone already shows it at the first read
  peer_ = plain_->remote_endpoint(ignored);
  plain_->set_option(asio::ip::tcp::no_delay(true), ignored);
  plain_->set_option(asio::socket_base::keep_alive(true), ignored);  // a peer without power says no goodbye
}

Awaitable<Result<void>> Stream::accept_tls(TlsContext& context) {
  tls_ = std::make_unique<Tls>(std::move(*plain_), context);
  plain_.reset();
  const auto [error] = co_await tls_->async_handshake(Tls::server, token);
  if (error) co_return handshake_error(error);
  co_return Result<void>();
}

Awaitable<Result<void>> Stream::connect_tls(TlsContext& context, const TlsTrust& trust,
                                            const std::string& host) {
  tls_ = std::make_unique<Tls>(std::move(*plain_), context);
  plain_.reset();
  boost::system::error_code not_address;
  asio::ip::make_address(host, not_address);
  if (not_address && !host.empty() && SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1)
    co_return boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
  tls_->set_verify_callback(peer_check(trust, host));
  const auto [error] = co_await tls_->async_handshake(Tls::client, token);
  if (error) co_return handshake_error(error);
  co_return Result<void>();
}

Awaitable<void> Stream::shutdown_write() {
  if (tls_) {
    const std::string record = take_close_notify(tls_->native_handle());
    co_await asio::async_write(tcp(), asio::buffer(record), token);
  }
  boost::system::error_code ignored;  // the peer may be gone already
  tcp().shutdown(TcpSocket::shutdown_send, ignored);
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
