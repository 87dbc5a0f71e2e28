#include "config/provider_config.hpp"

#include <algorithm>
#include <array>

namespace rockdove::config {
namespace {

using namespace rockdove::providers;

constexpr std::array<std::string_view, 4> key_forms{"text", "hex", "base64", "rsa"};
constexpr std::array<std::string_view, 2> units{"s", "ms"};
constexpr std::array<std::string_view, 4> envelopes{"none", "feishu", "wechat", "wechat-pay"};

constexpr std::size_t list_max = 32;  // of anything in a provider
constexpr std::size_t refusal_min = 400, refusal_max = 499;

template <class Enum, std::size_t Size>
void read_enum(Section& section, std::string_view key, const std::array<std::string_view, Size>& names,
               Enum& into) {
  if (const auto index = section.read_choice(key, names)) into = static_cast<Enum>(*index);
}

std::vector<std::string> read_list(Section& section, std::string_view key) {
  std::vector<std::string> list;
  section.read(key, list);
  if (list.size() > list_max)
    section.fail(key, std::string(key) + ": at most " + std::to_string(list_max) + " entries");
  return list;
}

std::vector<Section> read_tables(Section& section, std::string_view key) {
  auto tables = section.sections(key);
  if (tables.size() > list_max)
    section.fail(key,
                 "at most " + std::to_string(list_max) + " tables [[provider." + std::string(key) + "]]");
  return tables;
}

std::vector<Place> read_places(Section& section, std::string_view key) {
  std::vector<Place> places;
  for (const std::string& text : read_list(section, key)) {
    auto place = parse_place(text);
    if (!place)
      section.fail(key, std::string(key) + " = " + quote(text) + ": must be " + std::string(place_forms));
    places.push_back(std::move(*place));
  }
  return places;
}

void read_place(Section& section, std::string_view key, std::optional<Place>& into) {
  auto places = read_places(section, key);
  if (places.size() > 1) section.fail(key, std::string(key) + " must be one place");
  if (!places.empty()) into = std::move(places.front());
}

std::vector<Condition> read_conditions(Section& section, std::string_view key) {
  std::vector<Condition> conditions;
  for (const std::string& text : read_list(section, key)) {
    auto condition = parse_condition(text);
    if (!condition)
      section.fail(key, std::string(key) + " = " + quote(text) +
                            ": must be PLACE, !PLACE, PLACE = VALUE or PLACE != VALUE, where PLACE is " +
                            std::string(place_forms));
    conditions.push_back(std::move(*condition));
  }
  return conditions;
}

Template to_template(const Section& section, std::string_view key, const std::string& text, Use use) {
  auto parsed = parse_template(text, use);
  if (const auto* error = std::get_if<TemplateError>(&parsed))
    section.fail(key, std::string(key) + " = " + quote(text) + ": " + error->message);
  return std::get<Template>(std::move(parsed));
}

std::vector<Template> read_templates(Section& section, std::string_view key, Use use) {
  std::vector<Template> templates;
  for (const std::string& text : read_list(section, key))
    templates.push_back(to_template(section, key, text, use));
  return templates;
}

void read_reply_body(Section& section, std::string_view key, Reply& reply) {
  std::string text;
  section.read(key, text);
  reply.body = to_template(section, key, text, Use::shown_text);
}

Check read_check(Section& section) {
  Check check;
  section.read("name", check.name);
  check.when = read_conditions(section, "when");
  section.read("unless", check.unless);
  section.read("instead_of", check.instead_of);
  section.read("challenge", check.only_challenge);
  read_enum(section, "algorithm", algorithm_names, check.algorithm);
  if (!section.contains("algorithm")) section.fail("algorithm", "needs algorithm");
  if (check.algorithm == Algorithm::equals) check.encoding = Encoding::text;
  if (check.algorithm == Algorithm::rsa_sha256) check.key = KeyForm::rsa;
  check.signature = read_places(section, "signature");
  section.read("separator", check.separator);
  section.read("prefix", check.prefix);
  read_enum(section, "encoding", encoding_names, check.encoding);
  read_place(section, "timestamp", check.timestamp);
  section.read("timestamp_prefix", check.timestamp_prefix);
  read_enum(section, "unit", units, check.unit);
  if (section.contains("tolerance")) section.read("tolerance", check.tolerance.emplace());
  read_place(section, "nonce", check.nonce);
  read_place(section, "id", check.id);
  check.parts = read_templates(section, "signed", Use::signed_text);
  section.read("sorted", check.sorted);
  section.read("secret", check.secret);
  read_enum(section, "key", key_forms, check.key);
  section.read("key_prefix", check.key_prefix);
  read_place(section, "body_digest", check.body_digest);
  section.finish();
  if (check.secret.empty()) section.fail("secret", "secret must not be empty");
  if (const auto problem = problem_with(check)) section.fail(problem->key, problem->message);
  return check;
}

Envelope read_envelope(Section section) {
  Envelope envelope;
  read_enum(section, "kind", envelopes, envelope.kind);
  envelope.at = read_places(section, "at");
  for (const Place& place : envelope.at)
    if (place.from == Place::From::opened || place.from == Place::From::encrypted)
      section.fail("at", "at = " + quote(to_text(place)) +
                             ": must be a place in what came, such as \"json:/encrypt\"");
  section.read("secret", envelope.secret);
  section.read("signed_with", envelope.signed_with);
  section.read("receiver", envelope.receiver);
  section.finish();
  if (envelope.kind != Envelope::Kind::none && (envelope.at.empty() || envelope.secret.empty()))
    section.fail("kind", "needs at, where the ciphertext stands, and secret, the name of its key");
  return envelope;
}

void check_sealed(const Section& section, const Reply& reply, const Envelope& envelope) {
  if (reply.sealed && (envelope.kind != Envelope::Kind::wechat || envelope.signed_with.empty()))
    section.fail("sealed", "sealed needs [provider.envelope] with kind = \"wechat\" and signed_with");
}

Challenge read_challenge(Section& section, const Envelope& envelope) {
  Challenge challenge;
  challenge.when = read_conditions(section, "when");
  section.read("unsigned", challenge.is_unsigned);
  read_place(section, "token", challenge.token);
  section.read("secret", challenge.secret);
  section.read("type", challenge.reply.type);
  read_reply_body(section, "reply", challenge.reply);
  section.read("sealed", challenge.reply.sealed);
  section.finish();
  if (challenge.when.empty()) section.fail("when", "needs when: every request would be a challenge");
  if (!section.contains("reply")) section.fail("reply", "needs reply: what is answered");
  if (challenge.token.has_value() == challenge.secret.empty())
    section.fail("token", "token, a place, and secret, the name of what has to stand there, go together");
  check_sealed(section, challenge.reply, envelope);
  // The keys may be missing, and then what is proven by nothing could not be answered either.
  if (challenge.is_unsigned && challenge.reply.sealed)
    section.fail("sealed", "an unsigned challenge cannot have a sealed reply");
  return challenge;
}

EventRule read_event(Section& section) {
  EventRule event;
  event.when = read_conditions(section, "when");
  event.id = read_templates(section, "id", Use::shown_text);
  event.type = read_templates(section, "type", Use::shown_text);
  event.app = read_templates(section, "app", Use::shown_text);
  event.chat = read_templates(section, "chat", Use::shown_text);
  section.read("synchronous", event.synchronous);
  if (section.contains("tolerance")) section.read("tolerance", event.tolerance.emplace());
  std::string fallback;
  section.read("fallback", fallback);
  if (section.contains("fallback")) {
    if (!event.synchronous) section.fail("fallback", "fallback needs synchronous = true: who would get it?");
    event.fallback = to_template(section, "fallback", fallback, Use::shown_text);
  }
  section.finish();
  return event;
}

Reply read_ack(Section section, const Envelope& envelope) {
  Reply ack;
  std::size_t status = 200;
  section.read_count("status", status, 200, 299);
  ack.status = static_cast<int>(status);
  section.read("type", ack.type);
  if (section.contains("body")) read_reply_body(section, "body", ack);
  else ack.body = to_template(section, "body", "{}", Use::shown_text);
  section.read("sealed", ack.sealed);
  section.finish();
  check_sealed(section, ack, envelope);
  return ack;
}

/// A misspelt `unless` would let through what it is there to refuse.
void check_unless(const Scheme& scheme, std::vector<Section>& tables) {
  const auto names = secret_names(scheme);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const std::string& unless = scheme.checks[i].unless;
    if (unless.empty() || std::ranges::find(names, unless) != names.end()) continue;
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    tables[i].fail("unless",
                   "unless = " + quote(unless) + ": must be the name of a secret of this provider: " + list);
  }
}

void check_instead_of(const Scheme& scheme, const Section& table, const Check& check) {
  if (check.instead_of.empty()) return;
  const bool is_known = std::ranges::any_of(
      scheme.checks, [&check](const Check& each) { return each.name == check.instead_of; });
  if (!is_known)
    table.fail("instead_of",
               "instead_of = " + quote(check.instead_of) + ": must be the name of an earlier check");
}

void add_all(Catalog& catalog, Section& document) {
  for (Section& section : document.sections("provider")) {
    Scheme scheme = read_provider(section);
    if (catalog.all().size() >= schemes_max && !catalog.find(scheme.name))
      section.fail("name", "at most " + std::to_string(schemes_max) + " providers");
    catalog.set(std::move(scheme));
  }
}

}  // namespace

providers::Scheme read_provider(Section& section) {
  Scheme scheme;
  section.read_name("name", scheme.name);
  if (scheme.name.empty()) section.fail("name", "needs name");
  scheme.title = scheme.name;
  section.read("title", scheme.title);
  scheme.envelope = read_envelope(section.section("envelope"));
  auto checks = read_tables(section, "check");
  for (Section& table : checks) {
    Check check = read_check(table);
    if (check.name.empty()) check.name = scheme.checks.empty() ? "signature" : "";
    for (const Check& other : scheme.checks)
      if (other.name == check.name || check.name.empty())
        table.fail("name", "needs a name of its own: there are several checks");
    check_instead_of(scheme, table, check);
    scheme.checks.push_back(std::move(check));
  }
  for (Section& table : read_tables(section, "challenge"))
    scheme.challenges.push_back(read_challenge(table, scheme.envelope));
  for (Section& table : read_tables(section, "event")) scheme.events.push_back(read_event(table));
  check_unless(scheme, checks);
  scheme.ack = read_ack(section.section("ack"), scheme.envelope);
  std::size_t refusal = static_cast<std::size_t>(scheme.refusal);
  section.read_count("refusal", refusal, refusal_min, refusal_max);
  scheme.refusal = static_cast<int>(refusal);
  section.read("deadline", scheme.deadline);
  section.finish();
  if (scheme.checks.empty())
    section.fail("name", "needs at least one [[provider.check]]: how its requests are proven");
  return scheme;
}

const providers::Catalog& builtin_providers() {
  static const Catalog builtin = [] {
    Catalog catalog;
    Section document = Section::parse(builtin_toml(), "providers.toml");
    add_all(catalog, document);
    document.finish();
    return catalog;
  }();
  return builtin;
}

providers::Catalog read_providers(Section& document) {
  Catalog catalog = builtin_providers();
  add_all(catalog, document);
  return catalog;
}

}  // namespace rockdove::config
