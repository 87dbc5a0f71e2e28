#include "providers/events.hpp"

#include "net/crypto.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>

namespace rockdove::providers {
namespace {

std::string first_of(const std::vector<Template>& templates, const Message& message,
                     Lists lists = Lists::unanimous) {
  for (const Template& parts : templates)
    if (auto text = message.render(parts, lists))
      return text->size() > fact_bytes_max ? net::hex(net::sha256(*text)) : std::move(*text);
  return {};
}

/// The token that proved the request, else the first.
const std::string& token_for(const Message& message, const std::vector<std::string>& tokens) {
  for (const std::string& token : tokens)
    if (&token == message.proof()) return token;
  return tokens.front();
}

/// The answer in the form that a wechat envelope asks for, with the key and the token of the question: while
/// they are replaced there are several.
std::optional<std::string> seal(const Message& message, std::string_view text, WallTime now) {
  const Envelope& envelope = message.scheme().envelope;
  const auto& keys = message.secrets().values(envelope.secret);
  const auto& tokens = message.secrets().values(envelope.signed_with);
  if (keys.empty() || tokens.empty()) return std::nullopt;
  const auto& opened = message.opened();
  const std::string& key = keys[message.opened_with()];
  const auto sealed = seal_wechat(key, text, opened ? opened->receiver : std::string());
  if (!sealed) return std::nullopt;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string timestamp = std::to_string(seconds);
  const std::string nonce = net::random_hex(8);
  boost::json::object answer;
  answer["msg_signature"] = sign_wechat(token_for(message, tokens), timestamp, nonce, *sealed);
  answer["timeStamp"] = timestamp;
  answer["nonce"] = nonce;
  answer["encrypt"] = *sealed;
  return boost::json::serialize(answer);
}

std::optional<Answer> make_answer(const Reply& reply, std::optional<std::string> body, const Message& message,
                                  WallTime now) {
  if (body && reply.sealed) body = seal(message, *body, now);
  if (!body) return std::nullopt;
  return Answer{reply.status, reply.type, std::move(*body)};
}

/// WeCom's echostr opens to some twenty digits. Whoever has seen a sealed message may ask for it as an
/// echostr, under a signature that is right; it must not be opened for him.
bool is_echo(std::string_view text) {
  constexpr std::string_view others = "+/=_.~-";
  const auto is_letter = [&others](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != others.npos;
  };
  return text.size() <= echo_bytes_max && std::ranges::all_of(text, is_letter);
}

}  // namespace

const EventRule* event_rule(const Message& message) {
  for (const EventRule& rule : message.scheme().events)
    if (message.hold(rule.when)) return &rule;
  return nullptr;
}

Facts read_facts(const Message& message) {
  const EventRule* const rule = event_rule(message);
  if (!rule) return {};
  return Facts{first_of(rule->id, message, Lists::joined),
               first_of(rule->type, message),
               first_of(rule->app, message),
               first_of(rule->chat, message),
               rule->synchronous,
               rule->fallback ? message.render(*rule->fallback) : std::nullopt};
}

std::optional<std::string> challenge_text(const Challenge& challenge, const Message& message) {
  if (!message.hold(challenge.when)) return std::nullopt;
  for (const Part& part : challenge.reply.body)
    if (part.kind == Part::Kind::opened && !is_echo(message.text())) return std::nullopt;
  return message.render(challenge.reply.body);
}

std::optional<Answer> challenge_answer(const Message& message, WallTime now) {
  for (const Challenge& challenge : message.scheme().challenges)
    if (auto text = challenge_text(challenge, message))
      if (auto answer = make_answer(challenge.reply, std::move(text), message, now)) return answer;
  return std::nullopt;
}

std::optional<Answer> ack(const Message& message, WallTime now) {
  const Reply& reply = message.scheme().ack;
  return make_answer(reply, message.render(reply.body), message, now);
}

}  // namespace rockdove::providers
