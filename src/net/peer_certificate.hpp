// Whose certificate is it that answers there? A look that trusts nobody, and to which nothing secret is told.
#pragma once

#include "net/tls.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace rockdove::net {

struct PeerCertificate {
  std::string pin;                              ///< as TlsTrust::pin
  std::string subject, issuer;                  ///< bytes from outside
  std::optional<std::chrono::sys_seconds> end;  ///< notAfter
  std::string
      objection;  ///< why it would not pass by certificate authorities, in OpenSSL's words; empty: it would
};

/// Runs a handshake on `socket` as a client that takes any certificate, tells what was presented, and closes.
/// `trust.ca_file` and `host` are what `objection` is about; `trust.pin` is left aside. Throws if the file
/// cannot be read. Error::timed_out after `limit`; Error::closed or OpenSSL's error if there is no TLS.
Awaitable<Result<PeerCertificate>> look_at_peer(TcpSocket socket, TlsTrust trust, std::string host,
                                                Duration limit);

}  // namespace rockdove::net
