// TLS over bytes that somebody else moves: OpenSSL without a socket.
#pragma once

#include "net/tls.hpp"

#include <memory>
#include <string>

namespace rockdove::net {

/// One connection's TLS state. Sealed bytes from the socket go in through room() and arrived(); those for the
/// socket come out of take_output(). A whole burst of records is one write that way, and one read brings
/// several. It has a fixed place in memory while it lives.
class TlsSession {
 public:
  enum class Side { server, client };
  /// What a step came to, apart from an error.
  enum class Step {
    done,
    starved,  ///< more sealed bytes have to arrive first
    ended,    ///< the peer said that it sends no more (close_notify)
  };

  TlsSession(TlsContext& context, Side side);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  /// For clients, before the handshake: checks the peer as `trust`, which must outlive the handshake, says.
  /// `host` goes into SNI unless it is an address. Error::untrusted_server comes from handshake() then.
  Result<void> expect(const TlsTrust& trust, const std::string& host);

  Result<Step> handshake();
  /// Opens what has arrived into `into`, as much as fits; `count` says how much that was, more than 0 when
  /// done.
  Result<Step> open(asio::mutable_buffer into, std::size_t& count);
  /// Seals all of `bytes`, which are at most 256 KiB, into the output.
  Result<void> seal(asio::const_buffer bytes);
  /// Puts the close_notify alert into the output.
  void seal_end();

  /// Where sealed bytes from the socket go; grows while a peer fills it each time.
  asio::mutable_buffer room();
  void arrived(std::size_t count);
  /// The socket is at its end.
  void cut();

  bool has_output() const { return !output_.empty(); }
  /// Everything for the socket since the last call; `into` is reused.
  void take_output(std::string& into);

 private:
  struct Pipe;  // OpenSSL's view of the two buffers
  Result<Step> failure(int code);

  SSL* session_;
  std::string input_;  // sealed bytes in [begin_, end_)
  std::size_t begin_ = 0, end_ = 0;
  bool is_cut_ = false;
  boost::system::error_code failure_;  // of records that came behind good ones
  std::string output_;
};

}  // namespace rockdove::net
