#include "providers/secrets.hpp"

#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "providers/envelope.hpp"

#include <algorithm>

namespace rockdove::providers {
namespace {

constexpr std::size_t ed25519_key_size = 32;
constexpr std::size_t wechat_pay_key_size = 32;

std::optional<std::string> problem_with_value(const Scheme& scheme, std::string_view name,
                                              std::string_view value) {
  for (const Check& check : scheme.checks)
    if (check.secret == name && !decode_key(check, value)) {
      switch (check.key) {
        case KeyForm::hex: return "has to be a key in hex digits";
        case KeyForm::base64: return "has to be a key in base64";
        case KeyForm::rsa: return "has to be an RSA public key: PEM, a certificate in PEM, or bare base64";
        case KeyForm::text: break;
      }
    }
  const Envelope& envelope = scheme.envelope;
  if (envelope.kind == Envelope::Kind::wechat && envelope.secret == name && !wechat_key(value))
    return "has to have 43 letters of base64";
  if (envelope.kind == Envelope::Kind::wechat_pay && envelope.secret == name &&
      value.size() != wechat_pay_key_size)
    return "has to have 32 letters";
  return std::nullopt;
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

std::vector<std::string> secret_names(const Scheme& scheme) {
  std::vector<std::string> names;
  for (const Check& check : scheme.checks) add_once(names, check.secret);
  add_once(names, scheme.envelope.secret);
  add_once(names, scheme.envelope.signed_with);
  add_once(names, scheme.envelope.receiver);
  for (const Challenge& challenge : scheme.challenges) add_once(names, challenge.secret);
  return names;
}

void Secrets::add(std::string name, std::string value) {
  for (auto& [known, values] : named_)
    if (known == name) return values.push_back(std::move(value));
  std::vector<std::string> values;
  values.push_back(std::move(value));
  named_.emplace_back(std::move(name), std::move(values));
}

const std::vector<std::string>& Secrets::values(std::string_view name) const {
  static const std::vector<std::string> none;
  for (const auto& [known, values] : named_)
    if (known == name) return values;
  return none;
}

std::optional<std::string> decode_key(const Check& check, std::string_view secret) {
  if (!check.key_prefix.empty() && secret.starts_with(check.key_prefix))
    secret.remove_prefix(check.key_prefix.size());
  std::optional<std::string> key;
  switch (check.key) {
    case KeyForm::text: key = std::string(secret); break;
    case KeyForm::hex: key = net::hex_decode(secret); break;
    case KeyForm::base64: key = net::base64_decode(secret); break;
    case KeyForm::rsa: key = net::rsa_public_key(secret); break;
  }
  if (!key || key->empty()) return std::nullopt;
  if (check.algorithm == Algorithm::ed25519 && key->size() != ed25519_key_size) return std::nullopt;
  return key;
}

std::optional<std::string> problem_with(const Scheme& scheme, const Secrets& secrets) {
  const auto names = secret_names(scheme);
  for (const auto& [name, values] : secrets.all()) {
    if (std::ranges::find(names, name) == names.end()) {
      std::string list;
      for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
      return "provider " + scheme.name + " has no secret \"" + name + "\"; its secrets: " + list;
    }
    if (values.size() > secrets_max)
      return "secret " + name + ": at most " + std::to_string(secrets_max) + " values";
    for (const std::string& value : values) {
      if (value.empty()) return "secret " + name + " is empty";
      if (auto problem = problem_with_value(scheme, name, value)) return "secret " + name + " " + *problem;
    }
  }
  return std::nullopt;
}

}  // namespace rockdove::providers
