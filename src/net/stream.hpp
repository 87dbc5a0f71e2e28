// One connected byte stream, plain or under TLS: what HTTP and links run on.
#pragma once

#include "net/asio.hpp"
#include "net/tls.hpp"

#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <optional>
#include <string>

namespace rockdove::net {

/// A TCP connection with TCP_NODELAY set, and TLS on it if asked. Loop thread only. At most one read
/// and one write may be in flight. Cancelling an operation under TLS ends the connection's use.
class Stream {
 public:
  explicit Stream(TcpSocket socket);
  Stream(Stream&&) = default;
  Stream& operator=(Stream&&) = default;

  /// Runs the TLS handshake as the server; `context` must outlive the stream.
  Awaitable<Result<void>> accept_tls(TlsContext& context);
  /// Runs the TLS handshake as the client and checks the peer as `trust` says
  /// (Error::untrusted_server). `host` goes into SNI unless it is an address.
  Awaitable<Result<void>> connect_tls(TlsContext& context, const TlsTrust& trust, const std::string& host);

  /// Reads at least one byte. Completes with asio::error::eof at the orderly end.
  template <class Buffers, class CompletionToken>
  auto async_read_some(Buffers buffers, CompletionToken&& completion) {
    return asio::async_initiate<CompletionToken, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, Buffers into) {
          if (tls_) tls_->async_read_some(into, std::move(handler));
          else tcp().async_read_some(into, std::move(handler));
        },
        completion, buffers);
  }

  /// Writes all of `buffers`, which must stay valid until completion.
  template <class Buffers, class CompletionToken>
  auto async_write(Buffers buffers, CompletionToken&& completion) {
    return asio::async_initiate<CompletionToken, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, Buffers from) {
          if (tls_) asio::async_write(*tls_, from, std::move(handler));
          else asio::async_write(tcp(), from, std::move(handler));
        },
        completion, buffers);
  }

  /// Ends the outgoing direction in order (close_notify, FIN); reading may go on.
  Awaitable<void> shutdown_write();
  /// Drops the connection now; operations in flight end with an error, mostly operation_aborted.
  void close();
  /// Ends operations in flight with an error. A plain connection stays; under TLS this is close(), since
  /// an operation that is between two steps of the protocol would not notice anything less.
  void cancel();
  bool is_open() const { return tcp().is_open(); }
  bool is_tls() const { return tls_ != nullptr; }

  /// The other end's address, taken when the stream was made.
  const Endpoint& peer() const { return peer_; }
  TcpSocket& tcp() { return tls_ ? tls_->next_layer() : *plain_; }
  const TcpSocket& tcp() const { return tls_ ? tls_->next_layer() : *plain_; }
  Executor executor() { return tcp().get_executor(); }

  /// Makes the kernel report and drop a dead peer, and keeps bulk data from standing before control
  /// frames in the send buffer: keep-alive, TCP_USER_TIMEOUT (RFC 5482) and TCP_NOTSENT_LOWAT, as
  /// far as the platform has them.
  void tune_for_link(Duration dead_after);

 private:
  using Tls = asio::ssl::stream<TcpSocket>;
  std::optional<TcpSocket> plain_;
  std::unique_ptr<Tls> tls_;
  Endpoint peer_;
};

}  // namespace rockdove::net
