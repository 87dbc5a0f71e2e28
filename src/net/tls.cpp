#include "net/tls.hpp"

#include "base/files.hpp"
#include "net/crypto.hpp"
#include "net/x509.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace rockdove::net {
namespace {

namespace fs = std::filesystem;

template <auto function>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    function(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

constexpr long valid_days = 30L * 365;

/// Throws with OpenSSL's own reason.
[[noreturn]] void fail(const std::string& what) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  throw std::runtime_error(what + ": " + (reason ? reason : "unknown reason"));
}

void check(bool ok, const char* step) {
  if (!ok) fail(std::string("cannot make the server's certificate (") + step + ")");
}

Bio reader(const std::string& bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string content(const Bio& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

/// Never asks a person for a pass phrase: a service has no terminal.
int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

void tune(TlsContext& context) {
  context.set_options(TlsContext::default_workarounds | TlsContext::no_compression);
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_options(native,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // OpenSSL's set with the cheaper key length first: a sixth less work for bulk data, and as safe in
  // practice. Peers without AES instructions ask for ChaCha20, and get it.
  SSL_CTX_set_ciphersuites(native,
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // thousands of quiet links must not hold 32 KiB each
  // Tickets resume sessions without any memory of ours; the cache would keep thousands of old ones.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"));
  check(key != nullptr, "key");
  return key;
}

Certificate self_sign(const Key& key) {
  Certificate made(X509_new());
  check(made != nullptr, "certificate");
  X509* const certificate = made.get();
  check(X509_set_version(certificate, X509_VERSION_3) == 1, "version");
  std::string serial = random_bytes(16);
  serial[0] =
      static_cast<char>((serial[0] & 0x3F) | 0x40);  // positive, and never short (RFC 5280 section 4.1.2.2)
  BIGNUM* number = BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), 16, nullptr);
  const bool numbered = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  check(numbered, "serial number");
  // From yesterday on: the other end's clock may be behind.
  check(X509_gmtime_adj(X509_getm_notBefore(certificate), -24L * 3600), "start");
  check(X509_time_adj_ex(X509_getm_notAfter(certificate), static_cast<int>(valid_days), 0, nullptr), "end");
  check(X509_set_pubkey(certificate, key.get()) == 1, "public key");
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>("rockdove");
  check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1, "name");
  check(X509_set_issuer_name(certificate, name) == 1, "issuer");
  check(X509_sign(certificate, key.get(), EVP_sha256()) > 0, "signature");
  return made;
}

std::string to_pem(const Key& key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "key file");
  return content(bio);
}

std::string to_pem(const Certificate& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_X509(bio.get(), certificate.get()) == 1, "certificate file");
  return content(bio);
}

Key read_key(const fs::path& path) {
  const std::string pem = read_file(path);
  Key key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, no_pass_phrase, nullptr));
  if (!key) fail(path.string() + " holds no usable private key");
  return key;
}

/// Where a session keeps the pin that its peer must have.
int pin_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// OpenSSL asks for each certificate of the chain. The leaf decides, whichever it has just looked at: every
/// verdict is about the one key that proves itself in the handshake.
int is_pinned(int, X509_STORE_CTX* chain) {
  auto* const session =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* pin = static_cast<const std::string*>(SSL_get_ex_data(session, pin_index()));
  X509* const leaf = X509_STORE_CTX_get0_cert(chain);
  return pin && leaf && equal_in_constant_time(pin_of(leaf), *pin) ? 1 : 0;
}

/// The system's authorities. OpenSSL looks where the system keeps them that it was built for, or where the
/// environment says; a program with OpenSSL inside runs on others too, which have one of these files.
void trust_system(TlsContext& context) {
  context.set_default_verify_paths();
  for (const char* name : {X509_get_default_cert_file_env(), X509_get_default_cert_dir_env()})
    if (std::getenv(name)) return;  // NOLINT(concurrency-mt-unsafe): nothing sets the environment
  std::error_code ignored;
  for (const char* known : {X509_get_default_cert_file(), X509_get_default_cert_dir()})
    if (fs::exists(known, ignored)) return;
  for (const char* file : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"})
    if (SSL_CTX_load_verify_file(context.native_handle(), file) == 1) break;
  ERR_clear_error();  // of files that are not there
}

}  // namespace

TlsContext make_server_tls(const fs::path& certificate, const fs::path& key) {
  const std::string chain_pem = read_file(certificate);
  const std::string key_pem = read_file(key);
  TlsContext context(TlsContext::tls_server);
  tune(context);
  context.set_password_callback([](std::size_t, TlsContext::password_purpose) { return std::string(); });
  boost::system::error_code error;
  context.use_certificate_chain(asio::buffer(chain_pem), error);
  if (error) throw boost::system::system_error(error, certificate.string() + " holds no usable certificate");
  context.use_private_key(asio::buffer(key_pem), TlsContext::pem, error);
  if (error) {
    // Loading a key checks it against the certificate before it.
    const bool mismatch =
        ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH;
    const std::string what =
        mismatch ? " is not the key of " + certificate.string() : " holds no usable private key";
    throw boost::system::system_error(error, key.string() + what);
  }
  return context;
}

TlsContext make_client_tls(const TlsTrust& trust) {
  TlsContext context(TlsContext::tls_client);
  tune(context);
  context.set_verify_mode(asio::ssl::verify_peer);
  if (!trust.pin.empty()) return context;
  if (trust.ca_file.empty()) {
    trust_system(context);
    return context;
  }
  const std::string authorities = read_file(trust.ca_file);
  boost::system::error_code error;
  context.add_certificate_authority(asio::buffer(authorities), error);
  if (error)
    throw boost::system::system_error(error, trust.ca_file.string() + " holds no usable certificate");
  return context;
}

bool check_peer(SSL* session, const TlsTrust& trust, const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  const bool is_address = !error;
  if (!is_address && !host.empty() && SSL_set_tlsext_host_name(session, host.c_str()) != 1) return false;
  if (!trust.pin.empty()) {
    SSL_set_ex_data(session, pin_index(), const_cast<std::string*>(&trust.pin));
    SSL_set_verify(session, SSL_VERIFY_PEER, is_pinned);
    return true;
  }
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(session);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1
                    : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) == 1;
}

void ensure_own_certificate(const fs::path& directory) {
  const fs::path key_file = directory / "tls-key.pem";
  const fs::path certificate_file = directory / "tls-certificate.pem";
  const auto complete = [&] { return fs::exists(key_file) && fs::exists(certificate_file); };
  if (complete()) return;  // before the lock: the directory may be read-only
  make_private_directory(directory);
  // A command that runs beside a starting server must find the server's key, not make another one.
  const FileLock lock(directory / "tls.lock");
  if (complete()) return;
  const bool has_key = fs::exists(key_file);
  // A key without its certificate is kept: agents have its pin.
  const Key key = has_key ? read_key(key_file) : make_key();
  const Certificate certificate = self_sign(key);
  if (!has_key) write_private_file(key_file, to_pem(key));
  write_private_file(certificate_file, to_pem(certificate));
}

std::string certificate_pin(const fs::path& certificate) {
  const std::string pem = read_file(certificate);
  const Certificate first(PEM_read_bio_X509(reader(pem).get(), nullptr, no_pass_phrase, nullptr));
  if (!first) fail(certificate.string() + " holds no usable certificate");
  const std::string pin = pin_of(first.get());
  if (pin.empty()) fail(certificate.string() + " holds a certificate without a usable key");
  return pin;
}

}  // namespace rockdove::net
