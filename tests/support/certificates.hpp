// Certificates made for one test.
#pragma once

#include "net/tls.hpp"
#include "support/scratch_directory.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace rockdove::test {

struct Files {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// What a server makes for itself at its first start.
inline Files own_certificate(const std::filesystem::path& directory) {
  net::ensure_own_certificate(directory);
  return {directory / "tls-certificate.pem", directory / "tls-key.pem"};
}

/// A certificate authority of a test, and what it has signed.
class Authority {
 public:
  explicit Authority(std::filesystem::path directory)
      : directory_(std::move(directory)), key_(EVP_EC_gen("P-256")) {
    certificate_ = make("the test's authority", key_.get(), "", nullptr);
    write(certificate_file(), certificate_.get());
  }

  std::filesystem::path certificate_file() const { return directory_ / "ca.pem"; }

  /// A certificate for `host` ("localhost", "127.0.0.1"), valid for a day.
  Files issue(const std::string& host) {
    const Key key(EVP_EC_gen("P-256"));
    const bool address = host.find_first_not_of("0123456789.") == std::string::npos;
    const Certificate made = make(host, key.get(), (address ? "IP:" : "DNS:") + host, certificate_.get());
    const Files files{directory_ / (host + ".pem"), directory_ / (host + "-key.pem")};
    write(files.certificate, made.get());
    FILE* file = std::fopen(files.key.c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    return files;
  }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Certificate = std::unique_ptr<X509, Free>;

  static void write(const std::filesystem::path& path, X509* certificate) {
    FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
  }

  static void extend(X509* certificate, int name, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, name, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  Certificate make(const std::string& name, EVP_PKEY* key, const std::string& alternative, X509* issuer) {
    Certificate made(X509_new());
    X509* const certificate = made.get();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 24L * 3600);
    X509_set_pubkey(certificate, key);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    if (!issuer) extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (!alternative.empty()) extend(certificate, NID_subject_alt_name, alternative);
    X509_sign(certificate, key_.get(), EVP_sha256());
    return made;
  }

  std::filesystem::path directory_;
  Key key_;
  Certificate certificate_;
  long serial_ = 0;
};

}  // namespace rockdove::test
