#include "net/certificate.hpp"

#include "base/files.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>

namespace rockdove::net {
namespace {

int no_pass_phrase(char*, int, int, void*) {
  return -1;  // never ask on the terminal
}

}  // namespace

std::chrono::sys_seconds certificate_end(const std::filesystem::path& certificate) {
  using namespace std::chrono;
  const std::string pem = read_file(certificate);
  const std::unique_ptr<BIO, decltype(&BIO_free)> reader(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> first(
      PEM_read_bio_X509(reader.get(), nullptr, no_pass_phrase, nullptr), X509_free);
  ERR_clear_error();
  std::tm end{};
  if (!first || ASN1_TIME_to_tm(X509_get0_notAfter(first.get()), &end) != 1)
    throw std::runtime_error(certificate.string() + " holds no usable certificate");
  const year_month_day day{year(end.tm_year + 1900), month(static_cast<unsigned>(end.tm_mon) + 1),
                           std::chrono::day(static_cast<unsigned>(end.tm_mday))};
  return sys_days(day) + hours(end.tm_hour) + minutes(end.tm_min) + seconds(end.tm_sec);
}

}  // namespace rockdove::net
