#include "net/x509.hpp"

#include "net/crypto.hpp"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#include <ctime>

namespace rockdove::net {
namespace {

std::string entry(const X509_NAME* name, int kind) {
  const int at = X509_NAME_get_index_by_NID(name, kind, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return {};
  std::string result(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return result;
}

std::string short_name(const X509_NAME* name) {
  if (auto common = entry(name, NID_commonName); !common.empty()) return common;
  if (auto organization = entry(name, NID_organizationName); !organization.empty()) return organization;
  char* line = X509_NAME_oneline(name, nullptr, 0);
  std::string result = line ? line : "";
  OPENSSL_free(line);
  return result;
}

}  // namespace

std::string pin_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  const std::string pin = base64url(sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)}));
  OPENSSL_free(der);
  return pin;
}

std::optional<std::chrono::sys_seconds> end_of(X509* certificate) {
  using namespace std::chrono;
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return std::nullopt;
  const year_month_day day{year(end.tm_year + 1900), month(static_cast<unsigned>(end.tm_mon) + 1),
                           std::chrono::day(static_cast<unsigned>(end.tm_mday))};
  return sys_days(day) + hours(end.tm_hour) + minutes(end.tm_min) + seconds(end.tm_sec);
}

std::string subject_of(X509* certificate) {
  return short_name(X509_get_subject_name(certificate));
}

std::string issuer_of(X509* certificate) {
  return short_name(X509_get_issuer_name(certificate));
}

}  // namespace rockdove::net
