#include "providers/catalog.hpp"

#include <algorithm>

namespace rockdove::providers {
namespace {

bool is_plain_digest(Algorithm algorithm) {
  return algorithm == Algorithm::sha1 || algorithm == Algorithm::sha256;
}

}  // namespace

void Catalog::set(Scheme scheme) {
  for (Scheme& known : schemes_)
    if (known.name == scheme.name) {
      known = std::move(scheme);
      return;
    }
  schemes_.push_back(std::move(scheme));
}

const Scheme* Catalog::find(std::string_view name) const {
  for (const Scheme& scheme : schemes_)
    if (scheme.name == name) return &scheme;
  return nullptr;
}

bool signs(const Check& check, Part::Kind kind) {
  return std::ranges::any_of(check.parts, [kind](const Template& parts) {
    return std::ranges::any_of(parts, [kind](const Part& part) { return part.kind == kind; });
  });
}

std::optional<Problem> problem_with(const Check& check) {
  if (check.signature.empty())
    return Problem{"signature", "needs signature: where it stands, such as \"header:X-Signature\""};
  if (check.algorithm == Algorithm::equals) {
    if (!check.parts.empty()) return Problem{"signed", "algorithm = \"equals\" signs nothing: no signed"};
    return std::nullopt;
  }
  if (check.parts.empty())
    return Problem{"signed", "needs signed: what the provider signs, such as \"${timestamp}.${body}\""};
  // A digest without the secret in it can be made by anybody.
  if (is_plain_digest(check.algorithm) && !signs(check, Part::Kind::secret))
    return Problem{"signed", "a plain digest proves something only with ${secret} in what is signed"};
  const std::pair<Part::Kind, std::pair<const char*, bool>> needed[] = {
      {Part::Kind::timestamp, {"timestamp", check.timestamp.has_value()}},
      {Part::Kind::nonce, {"nonce", check.nonce.has_value()}},
      {Part::Kind::id, {"id", check.id.has_value()}}};
  for (const auto& [kind, key] : needed)
    if (signs(check, kind) && !key.second)
      return Problem{"signed", "${" + std::string(key.first) + "} needs " + key.first + ": where it stands"};
  if (check.tolerance && !check.timestamp) return Problem{"tolerance", "needs timestamp: where it stands"};
  // Whoever may choose the time could choose any.
  if (check.tolerance && !signs(check, Part::Kind::timestamp))
    return Problem{"tolerance", "proves something only with ${timestamp} in what is signed"};
  const bool is_rsa = check.algorithm == Algorithm::rsa_sha256;
  if (is_rsa != (check.key == KeyForm::rsa))
    return Problem{"key", "\"rsa\" and the algorithm \"rsa-sha256\" go together"};
  return std::nullopt;
}

}  // namespace rockdove::providers
