#include "providers/events.hpp"

#include "net/crypto.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>

namespace rockdove::providers {
namespace {

std::string first_of(const std::vector<Template>& templates, const Message& message) {
  for (const Template& parts : templates)
    if (auto text = message.render(parts))
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

std::optional<Answer> make_answer(const Reply& reply, const Message& message, WallTime now) {
  auto body = message.render(reply.body);
  if (body && reply.sealed) body = seal(message, *body, now);
  if (!body) return std::nullopt;
  return Answer{reply.status, reply.type, std::move(*body)};
}

}  // namespace

Facts read_facts(const Message& message) {
  for (const EventRule& rule : message.scheme().events) {
    if (!message.hold(rule.when)) continue;
    return Facts{first_of(rule.id, message),
                 first_of(rule.type, message),
                 first_of(rule.app, message),
                 first_of(rule.chat, message),
                 rule.synchronous,
                 rule.fallback ? message.render(*rule.fallback) : std::nullopt};
  }
  return {};
}

std::optional<Answer> challenge_answer(const Message& message, WallTime now) {
  for (const Challenge& challenge : message.scheme().challenges)
    if (message.hold(challenge.when))
      if (auto answer = make_answer(challenge.reply, message, now)) return answer;
  return std::nullopt;
}

std::optional<Answer> ack(const Message& message, WallTime now) {
  return make_answer(message.scheme().ack, message, now);
}

}  // namespace rockdove::providers
