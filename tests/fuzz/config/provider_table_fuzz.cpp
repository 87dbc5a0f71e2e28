// Any text as a server's [[provider]] tables: refused with an error that names the line, or sound enough to
// judge requests by. Nothing that such a table says makes a stranger's request proven.
#include "config/provider_config.hpp"
#include "providers/events.hpp"
#include "providers/verify.hpp"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

using namespace rockdove;
using namespace rockdove::providers;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::optional<std::vector<Scheme>> read(std::string_view text) {
  try {
    auto document = config::Section::parse(text, "x.toml");
    std::vector<Scheme> schemes;
    for (config::Section& section : document.sections("provider"))
      schemes.push_back(config::read_provider(section));
    document.finish();
    return schemes;
  } catch (const config::ConfigError& error) {
    const std::string_view what = error.what();
    require(what.starts_with("x.toml:") && what.find('\n') == what.npos);
    return std::nullopt;
  }
}

/// A secret for every name, in the form that the scheme asks for where that is a matter of letters.
Secrets secrets_of(const Scheme& scheme) {
  Secrets secrets;
  for (const std::string& name : secret_names(scheme)) {
    for (const char* value :
         {"not to be guessed 7c1f0c55", "0123456789abcdef0123456789abcdef",
          "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}) {
      Secrets one;
      one.add(name, value);
      if (problem_with(scheme, one)) continue;
      secrets.add(name, value);
      break;
    }
  }
  return secrets;
}

void judge(const Scheme& scheme, std::string_view body) {
  const Secrets secrets = secrets_of(scheme);
  http::Fields fields;
  fields.add("X-Signature", "00");
  const RequestView request{"POST", "https://example.com/?a=b", fields, body};
  const Message message(scheme, secrets, request);
  const WallTime now{std::chrono::seconds(1'700'000'000)};
  const Verdict verdict = verify(message, now);
  require(verdict.outcome != Outcome::bad_secret);
  require(!explain(verdict).empty());
  if (verdict.outcome == Outcome::ok) require(verdict.check == "challenge" && challenge_answer(message, now));
  const Facts facts = read_facts(message);
  require(facts.id.size() <= fact_bytes_max && facts.chat.size() <= fact_bytes_max);
  if (const auto answer = ack(message, now)) require(answer->status >= 200 && answer->status <= 299);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto schemes = read(text);
  if (!schemes) return 0;
  for (const Scheme& scheme : *schemes) {
    require(!scheme.checks.empty());
    judge(scheme, text);
    judge(scheme, R"({"type":"url_verification","challenge":"x","encrypt":"AAAA"})");
  }
  return 0;
}
