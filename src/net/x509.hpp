// What is read out of a certificate that OpenSSL has parsed.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <optional>
#include <string>

namespace rockdove::net {

/// The pin of its key, as TlsTrust::pin; empty if it has no usable key.
std::string pin_of(X509* certificate);

/// Its notAfter (RFC 5280 section 4.1.2.5), if that is a time.
std::optional<std::chrono::sys_seconds> end_of(X509* certificate);

/// Whom it is for, and who says so: the common name, else the organization, else the whole name on one line.
/// Bytes from outside, in UTF-8 as far as they are well-formed.
std::string subject_of(X509* certificate);
std::string issuer_of(X509* certificate);

}  // namespace rockdove::net
