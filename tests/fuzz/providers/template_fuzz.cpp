// Templates, places and conditions as an operator may write them: what is read is written the same, and what
// it stands for in a request is put together without surprises.
#include "net/crypto.hpp"
#include "providers/message.hpp"
#include "providers/signed_text.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace rockdove;
using namespace rockdove::providers;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string_view line(std::string_view& rest) {
  const std::string_view found = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(found.size() + 1, rest.size()));
  return found;
}

std::string joined(const std::variant<SignedText, Missing>& text) {
  std::string whole;
  if (const auto* found = std::get_if<SignedText>(&text))
    for (const std::string_view piece : found->pieces) whole += piece;
  return whole;
}

void fill(const Template& parts, const Message& message) {
  Check check;
  check.parts = {parts, parts};
  const Holes holes{message.request().url, "secret", "1700000000", "nonce", "id"};
  const auto plain = signed_text(check, message, holes);
  check.sorted = true;
  const auto sorted = signed_text(check, message, holes);
  require(plain.index() == sorted.index());
  require(joined(plain) == joined(sorted));  // twice the same, in whichever order
  if (const auto* missing = std::get_if<Missing>(&plain)) require(!missing->place.empty());
}

}  // namespace

/// A line with a template, a line with a URL, then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view text = line(rest), url = line(rest);
  Scheme scheme;
  scheme.envelope = {Envelope::Kind::feishu, {*parse_place("json:/encrypt")}, "key", "", ""};
  Secrets secrets;
  secrets.add("key", "ekey");
  http::Fields fields;
  fields.add("X", url);
  const Message message(scheme, secrets, RequestView{"POST", url, fields, rest});
  require(message.opened().has_value() || message.encrypted());

  for (const Use use : {Use::signed_text, Use::shown_text}) {
    const auto parsed = parse_template(text, use);
    if (const auto* error = std::get_if<TemplateError>(&parsed)) {
      require(!error->message.empty());
      continue;
    }
    const auto& parts = std::get<Template>(parsed);
    require(std::get<Template>(parse_template(to_text(parts), use)) == parts);
    if (use == Use::signed_text) fill(parts, message);
    else if (const auto shown = message.render(parts)) require(!shown->empty() || parts.empty());
  }
  if (const auto condition = parse_condition(text)) {
    require(parse_condition(to_text(*condition)) == condition);
    Condition opposite = *condition;
    opposite.negated = !opposite.negated;
    require(message.holds(*condition) != message.holds(opposite));
  }
  if (const auto place = parse_place(text)) {
    require(parse_place(to_text(*place)) == place);
    if (message.value(*place)) require(message.exists(*place));
  }
  const std::string other = other_url(url);
  if (!other.empty()) require(other != url);
  return 0;
}
