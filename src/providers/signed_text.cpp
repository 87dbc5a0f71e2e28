#include "providers/signed_text.hpp"

#include <algorithm>

namespace rockdove::providers {
namespace {

using Kind = Part::Kind;

/// Each name directly followed by its value, sorted; a pair that comes twice counts once.
std::string concatenated(std::vector<FormPair> pairs) {
  std::ranges::sort(pairs);
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  std::string text;
  for (const FormPair& pair : pairs) text.append(pair.name).append(pair.value);
  return text;
}

std::string joined(std::vector<FormPair> pairs, const std::vector<std::string>& except) {
  std::ranges::sort(pairs);
  std::string text;
  for (const FormPair& pair : pairs) {
    if (std::ranges::find(except, pair.name) != except.end()) continue;
    if (!text.empty()) text += '&';
    text.append(pair.name).append("=").append(pair.value);
  }
  return text;
}

/// Adds one part; the place that is missing, or "".
std::string add(const Part& part, const Message& message, const Holes& holes, SignedText& to) {
  const auto own = [&to](std::string text) { to.pieces.push_back(to.owned.emplace_back(std::move(text))); };
  switch (part.kind) {
    case Kind::literal: to.pieces.push_back(part.text); break;
    case Kind::body: to.pieces.push_back(message.request().body); break;
    case Kind::url: to.pieces.push_back(holes.url); break;
    case Kind::secret: to.pieces.push_back(holes.secret); break;
    case Kind::timestamp: to.pieces.push_back(holes.timestamp); break;
    case Kind::nonce: to.pieces.push_back(holes.nonce); break;
    case Kind::id: to.pieces.push_back(holes.id); break;
    case Kind::opened: to.pieces.push_back(message.text()); break;
    case Kind::place: {
      auto value = message.value(part.place);
      if (!value) return to_text(part.place);
      own(std::move(*value));
      break;
    }
    case Kind::form:
    case Kind::form_pairs: {
      const auto* pairs = message.form();
      if (!pairs) return "form parameters in the body";
      own(part.kind == Kind::form ? concatenated(*pairs) : joined(*pairs, part.except));
      break;
    }
  }
  return {};
}

}  // namespace

std::variant<SignedText, Missing> signed_text(const Check& check, const Message& message,
                                              const Holes& holes) {
  SignedText whole;
  std::vector<std::string> texts;  // of the parts that are to be sorted
  for (const Template& parts : check.parts) {
    SignedText one;
    SignedText& to = check.sorted ? one : whole;
    for (const Part& part : parts)
      if (auto missing = add(part, message, holes, to); !missing.empty()) return Missing{std::move(missing)};
    if (!check.sorted) continue;
    std::string text;
    for (const std::string_view piece : one.pieces) text += piece;
    texts.push_back(std::move(text));
  }
  std::ranges::sort(texts);
  for (std::string& text : texts) whole.pieces.push_back(whole.owned.emplace_back(std::move(text)));
  return whole;
}

std::string other_url(std::string_view url) {
  const auto colon = url.find("://");
  if (colon == url.npos) return {};
  const std::string_view scheme = url.substr(0, colon);
  const std::string_view port = scheme == "https" ? ":443" : scheme == "http" ? ":80" : "";
  const std::string_view rest = url.substr(colon + 3);
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (port.empty() || host.empty()) return {};
  const std::string begin(url.substr(0, colon + 3));
  const std::string end(rest.substr(host.size()));
  if (host.ends_with(port)) return begin + std::string(host.substr(0, host.size() - port.size())) + end;
  const auto last = host.rfind(':');
  const bool has_port = last != host.npos && host.find(']', last) == host.npos;
  return has_port ? std::string() : begin + std::string(host).append(port) + end;
}

}  // namespace rockdove::providers
