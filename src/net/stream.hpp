// One connected byte stream, plain or under TLS: what HTTP and links run on.
#pragma once

#include "net/asio.hpp"
#include "net/tls_session.hpp"

#include <boost/asio/compose.hpp>
#include <boost/asio/write.hpp>

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
          if (tls_) start<TlsRead>(TlsRead{*this, into}, std::move(handler));
          else socket_.async_read_some(into, std::move(handler));
        },
        completion, buffers);
  }

  /// Writes all of `buffers`, which must stay valid until completion.
  template <class Buffers, class CompletionToken>
  auto async_write(Buffers buffers, CompletionToken&& completion) {
    return asio::async_initiate<CompletionToken, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, Buffers from) {
          if (tls_) start<TlsWrite<Buffers>>(TlsWrite<Buffers>{*this, from}, std::move(handler));
          else asio::async_write(socket_, from, std::move(handler));
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
  bool is_open() const { return socket_.is_open(); }
  bool is_tls() const { return tls_ != nullptr; }

  /// The other end's address, taken when the stream was made.
  const Endpoint& peer() const { return peer_; }
  TcpSocket& tcp() { return socket_; }
  const TcpSocket& tcp() const { return socket_; }
  Executor executor() { return tcp().get_executor(); }

  /// Makes the kernel report and drop a dead peer, and keeps bulk data from standing before control
  /// frames in the send buffer: keep-alive, TCP_USER_TIMEOUT (RFC 5482) and TCP_NOTSENT_LOWAT, as
  /// far as the platform has them.
  void tune_for_link(Duration dead_after);

 private:
  template <class Operation, class Handler>
  void start(Operation operation, Handler handler) {
    asio::async_compose<Handler, void(boost::system::error_code, std::size_t)>(std::move(operation), handler,
                                                                               socket_);
  }

  /// Opens what is there; while that gives nothing, reads the socket.
  struct TlsRead {
    Stream& stream;
    asio::mutable_buffer into;
    enum class At { start, socket, end } at = At::start;
    boost::system::error_code result{};
    std::size_t count = 0;

    template <class Self>
    void operator()(Self& self, boost::system::error_code error = {}, std::size_t size = 0) {
      if (at == At::end) return self.complete(result, count);
      const bool is_first = std::exchange(at, At::socket) == At::start;
      if (!is_first && !stream.took(error, size)) return self.complete(error, 0);
      if (!stream.open_some(into, count, result)) return stream.read_sealed(std::move(self));
      if (!is_first) return self.complete(result, count);
      at = At::end;  // never inside the call that began it
      asio::post(stream.executor(), std::move(self));
    }
  };

  /// Seals a good piece, writes it, and so on.
  template <class Buffers>
  struct TlsWrite {
    Stream& stream;
    Buffers from;
    std::size_t taken = 0;
    bool is_last = false;
    boost::system::error_code result{};

    template <class Self>
    void operator()(Self& self, boost::system::error_code error = {}, std::size_t = 0) {
      if (error || result || is_last) return self.complete(result ? result : error, error ? 0 : taken);
      taken +=
          stream.seal_some(asio::buffer_sequence_begin(from), asio::buffer_sequence_end(from), taken, result);
      is_last = taken == asio::buffer_size(from);
      if (result) return asio::post(stream.executor(), std::move(self));
      asio::async_write(stream.socket_, asio::buffer(stream.sealed_), std::move(self));
    }
  };

  static constexpr std::size_t seal_max = 256 * 1024;   // bytes sealed before they are written
  static constexpr std::size_t joined_max = 16 * 1024;  // buffers together this small become one record

  template <class Iterator>
  std::size_t seal_some(Iterator begin, Iterator end, std::size_t skip, boost::system::error_code& error) {
    std::size_t sealed = 0;
    joined_.clear();
    for (; begin != end && sealed < seal_max && !error; ++begin) {
      asio::const_buffer piece(*begin);
      const std::size_t passed = std::min(skip, piece.size());
      skip -= passed;
      piece = asio::buffer(piece + passed, seal_max - sealed);
      sealed += piece.size();
      seal_piece(piece, error);
    }
    seal_rest(error);
    tls_->take_output(sealed_);
    return sealed;
  }
  void seal_piece(asio::const_buffer piece, boost::system::error_code& error);
  void seal_rest(boost::system::error_code& error);

  /// False if nothing has come out of TLS yet and more has to be read.
  bool open_some(asio::mutable_buffer into, std::size_t& count, boost::system::error_code& error);
  template <class Self>
  void read_sealed(Self self) {
    socket_.async_read_some(tls_->room(), std::move(self));
  }
  /// Bytes, or the end, from the socket; false for a failure of it.
  bool took(boost::system::error_code error, std::size_t size);
  Awaitable<Result<void>> handshake();

  TcpSocket socket_;
  std::unique_ptr<TlsSession> tls_;
  std::string sealed_;  // on its way out
  std::string joined_;  // small buffers that become one record
  Endpoint peer_;
};

}  // namespace rockdove::net
