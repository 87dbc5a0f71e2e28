#include "providers/message.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>

namespace rockdove::providers {
namespace {

using From = Place::From;

std::string_view query_of(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const auto mark = url.find('?');
  return mark == url.npos ? std::string_view() : url.substr(mark + 1);
}

std::optional<std::string> pair_of(const std::optional<std::vector<FormPair>>& pairs, std::string_view name) {
  const std::string* found = pairs ? find_pair(*pairs, name) : nullptr;
  return found ? std::optional(*found) : std::nullopt;
}

/// The place's sibling, as in /resource/ciphertext and /resource/nonce.
Place beside(const Place& place, std::string_view name) {
  return Place{place.from, place.name.substr(0, place.name.rfind('/') + 1) + std::string(name)};
}

std::optional<std::string> in_all(std::optional<std::vector<std::string>> texts, Lists lists) {
  if (!texts) return std::nullopt;
  std::string all = std::move(texts->front());
  for (std::size_t i = 1; i < texts->size(); ++i) {
    const std::string& text = (*texts)[i];
    if (lists == Lists::joined) all.append(",").append(text);
    else if (text != all) return std::nullopt;
  }
  return all;
}

/// A receiver is for us unless ids are configured and it is none of them.
bool is_ours(const Envelope& envelope, const Secrets& secrets, const Opened& opened) {
  const auto& ids = secrets.values(envelope.receiver);
  return ids.empty() || std::ranges::find(ids, opened.receiver) != ids.end();
}

}  // namespace

Message::Message(const Scheme& scheme, const Secrets& secrets, const RequestView& request)
    : scheme_(scheme), secrets_(secrets), request_(request), body_(request.body) {
  find_ciphertext();
}

void Message::find_ciphertext() {
  if (scheme_.envelope.kind == Envelope::Kind::none) return;
  for (const Place& place : scheme_.envelope.at) {
    auto found = value(place);
    if (!found || found->empty()) continue;
    ciphertext_ = std::move(*found);
    ciphertext_at_ = &place;
    return;
  }
}

Result<Opened> Message::open() const {
  if (!encrypted()) return Opened{};  // text() is the body
  const Envelope& envelope = scheme_.envelope;
  Beside by;
  if (envelope.kind == Envelope::Kind::wechat_pay)
    by = Beside{value(beside(*ciphertext_at_, "nonce")).value_or(""),
                value(beside(*ciphertext_at_, "associated_data")).value_or("")};
  const auto& keys = secrets_.values(envelope.secret);
  for (std::size_t i = 0; i < std::min(keys.size(), secrets_max); ++i) {
    auto opened = open_envelope(envelope.kind, keys[i], ciphertext_, by);
    if (!opened || !is_ours(envelope, secrets_, *opened)) continue;
    opened_with_ = i;
    return opened;
  }
  return Error::malformed;
}

const Result<Opened>& Message::opened() const {
  if (!opened_) opened_.emplace(open());
  return *opened_;
}

std::size_t Message::opened_with() const {
  opened();
  return opened_with_;
}

std::string_view Message::text() const {
  if (!encrypted()) return request_.body;
  return opened() ? std::string_view(opened()->text) : std::string_view();
}

const Document& Message::opened_document() const {
  if (!encrypted()) return body_;
  if (!opened_document_) opened_document_.emplace(text());
  return *opened_document_;
}

const std::vector<FormPair>* Message::form() const {
  if (!form_) form_.emplace(parse_form(request_.body));
  return *form_ ? &**form_ : nullptr;
}

std::optional<std::string> Message::value(const Place& place, Lists lists) const {
  switch (place.from) {
    case From::method: return std::string(request_.method);
    case From::header: {
      const auto found = request_.fields.get(place.name);
      return found ? std::optional<std::string>(*found) : std::nullopt;
    }
    case From::query:
      if (!query_) query_.emplace(parse_form(query_of(request_.url)));
      return pair_of(*query_, place.name);
    case From::form: form(); return pair_of(*form_, place.name);
    case From::json:
      return has_every(place.name) ? in_all(body_.every(place.name), lists) : body_.json(place.name);
    case From::xml: return body_.xml(place.name);
    case From::opened: {
      const Document& opened = opened_document();
      return has_every(place.name) ? in_all(opened.every(place.name), lists) : opened.either(place.name);
    }
    case From::encrypted: return encrypted() ? std::optional(ciphertext_) : std::nullopt;
  }
  return std::nullopt;
}

bool Message::exists(const Place& place) const {
  const bool is_pointer = place.from == From::json || place.from == From::opened;
  if (is_pointer && has_every(place.name)) return value(place, Lists::joined).has_value();
  if (place.from == From::json) return body_.has_json(place.name);
  if (place.from == From::opened) return opened_document().has_either(place.name);
  return value(place).has_value();
}

bool Message::holds(const Condition& condition) const {
  if (!condition.value) return exists(condition.place) != condition.negated;
  return (value(condition.place) == condition.value) != condition.negated;
}

bool Message::hold(const std::vector<Condition>& conditions) const {
  return std::ranges::all_of(conditions, [this](const Condition& condition) { return holds(condition); });
}

std::optional<std::string> Message::render(const Template& parts, Lists lists) const {
  std::string text;
  for (const Part& part : parts) {
    std::optional<std::string> piece;
    switch (part.kind) {
      case Part::Kind::literal: piece = part.text; break;
      case Part::Kind::place: piece = value(part.place, lists); break;
      case Part::Kind::opened: piece = std::string(this->text()); break;
      default: break;
    }
    if (!piece || piece->empty()) return std::nullopt;
    text += part.quoted ? boost::json::serialize(boost::json::string(*piece)) : *piece;
  }
  return text;
}

}  // namespace rockdove::providers
