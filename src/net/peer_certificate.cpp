#include "net/peer_certificate.hpp"

#include "net/deadline.hpp"
#include "net/x509.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>

namespace rockdove::net {
namespace {

Result<PeerCertificate> describe(SSL* session) {
  const std::unique_ptr<X509, decltype(&X509_free)> leaf(SSL_get1_peer_certificate(session), X509_free);
  if (!leaf) return Error::untrusted_server;
  PeerCertificate found{
      pin_of(leaf.get()), subject_of(leaf.get()), issuer_of(leaf.get()), end_of(leaf.get()), {}};
  if (const long verdict = SSL_get_verify_result(session); verdict != X509_V_OK)
    found.objection = X509_verify_cert_error_string(verdict);
  return found;
}

}  // namespace

Awaitable<Result<PeerCertificate>> look_at_peer(TcpSocket socket, TlsTrust trust, std::string host,
                                                Duration limit) {
  trust.pin.clear();
  TlsContext context = make_client_tls(trust);
  asio::ssl::stream<TcpSocket> stream(std::move(socket), context);
  if (!check_peer(stream.native_handle(), trust, host)) co_return Error::malformed;
  SSL_set_verify(stream.native_handle(), SSL_VERIFY_NONE, nullptr);
  const Executor executor = co_await asio::this_coro::executor;
  bool is_late = false;
  Deadline deadline(Deadlines::of(executor.context()), [&stream, &is_late] {
    is_late = true;
    boost::system::error_code ignored;
    stream.next_layer().close(ignored);
  });
  deadline.set(limit);
  auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, token);
  if (is_late) co_return Error::timed_out;
  if (error == asio::ssl::error::stream_truncated || error == asio::error::eof) co_return Error::closed;
  if (error) co_return error;
  auto found = describe(stream.native_handle());
  co_return found;
}

}  // namespace rockdove::net
