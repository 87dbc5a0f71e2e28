// TLS for links and the public side: contexts, the server's own key, and whom to trust.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace rockdove::net {

using TlsContext = asio::ssl::context;

/// How a client checks the server it reached.
struct TlsTrust {
  /// base64url SHA-256 of the server's SubjectPublicKeyInfo (RFC 7469 section 2.4, without padding).
  /// Set: this key and no other, whatever the certificate says. Empty: certificate authorities.
  std::string pin;
  /// A PEM file of authorities to trust in place of the system's, for TLS-inspecting networks.
  std::filesystem::path ca_file;
};

/// A context that presents `certificate` (PEM chain) and `key` (PEM). TLS 1.2 at least, 1.3 offered.
/// Throws boost::system::system_error or std::runtime_error that names the file and says what is wrong.
TlsContext make_server_tls(const std::filesystem::path& certificate, const std::filesystem::path& key);

/// A context for outgoing connections. Throws if trust.ca_file cannot be read.
TlsContext make_client_tls(const TlsTrust& trust);

/// Has `session`, of a context from make_client_tls(trust), check its peer in the handshake, and ask for
/// `host` by SNI unless it is an address. `trust` must outlive the handshake. False if `host` is no name at
/// all.
bool check_peer(SSL* session, const TlsTrust& trust, const std::string& host);

/// Makes `directory`/tls-key.pem (EC P-256, mode 0600) and tls-certificate.pem (self-signed, valid for 30
/// years: agents trust the key, not the date) unless both are there. A key without a certificate is kept, so
/// that its pin stays valid. Safe against other processes doing the same. Throws std::runtime_error.
void ensure_own_certificate(const std::filesystem::path& directory);

/// The pin (see TlsTrust::pin) of the first certificate in the PEM file. Throws std::runtime_error.
std::string certificate_pin(const std::filesystem::path& certificate);

}  // namespace rockdove::net
