#include "net/certificate.hpp"

#include "base/files.hpp"
#include "net/x509.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace rockdove::net {
namespace {

int no_pass_phrase(char*, int, int, void*) {
  return -1;  // never ask on the terminal
}

}  // namespace

std::chrono::sys_seconds certificate_end(const std::filesystem::path& certificate) {
  const std::string pem = read_file(certificate);
  const std::unique_ptr<BIO, decltype(&BIO_free)> reader(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> first(
      PEM_read_bio_X509(reader.get(), nullptr, no_pass_phrase, nullptr), X509_free);
  ERR_clear_error();
  const auto end = first ? end_of(first.get()) : std::nullopt;
  if (!end) throw std::runtime_error(certificate.string() + " holds no usable certificate");
  return *end;
}

}  // namespace rockdove::net
