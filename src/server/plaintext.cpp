#include "server/plaintext.hpp"

#include "http/error_response.hpp"
#include "net/log.hpp"
#include "providers/catalog.hpp"
#include "providers/message.hpp"
#include "server/edge.hpp"
#include "server/webhook_signature.hpp"

#include <chrono>

namespace rockdove::server {
namespace {

using providers::Place;

void remove_if_field(http::Fields& fields, const std::optional<Place>& place) {
  if (place && place->from == Place::From::header) fields.remove(place->name);
}

/// Signatures, timestamps and nonces: they belong to other bytes now, or are themselves the secret. And what
/// is called like our own proof: nobody shall have words put into his mouth.
void remove_proof(http::Fields& fields, const providers::Scheme& scheme) {
  for (const providers::Check& check : scheme.checks) {
    for (const Place& place : check.signature) remove_if_field(fields, place);
    remove_if_field(fields, check.timestamp);
    remove_if_field(fields, check.nonce);
  }
  constexpr std::string_view ours = "webhook-";
  std::vector<std::string> names;
  for (const http::Fields::Field field : fields)
    if (http::iequals(field.name.substr(0, ours.size()), ours)) names.emplace_back(field.name);
  for (const std::string& name : names) fields.remove(name);
}

/// The provider's own id if its signature covers it, else that of our event; live there is none, and the
/// request's is as good, since there is one attempt.
std::string id_of(const http::Request& request, const providers::Message& message,
                  std::string_view check_name) {
  for (const providers::Check& check : message.scheme().checks)
    if (check.name == check_name && check.id && signs(check, providers::Part::Kind::id))
      if (auto id = message.value(*check.id)) return std::move(*id);
  const auto event = request.context.stored ? request.fields.get("rockdove-event-id") : std::nullopt;
  return std::string(event.value_or(request.context.request_id));
}

void set_body(http::Request& request, std::string text) {
  request.fields.set("Content-Type", text.starts_with('<') ? "application/xml" : "application/json");
  request.fields.set("Content-Length", std::to_string(text.size()));
  request.content = std::move(text);
  request.has_body = true;
}

/// Its age was judged when it came; an attempt or a replay may be days later.
providers::Verdict verify_again(const providers::Message& message, providers::WallTime now) {
  using providers::Outcome;
  providers::Verdict verdict = providers::verify(message, now);
  if (verdict.outcome == Outcome::too_old || verdict.outcome == Outcome::too_new)
    verdict.outcome = message.opened() ? Outcome::ok : Outcome::undecipherable;
  if (verdict.outcome == Outcome::ok && verdict.only_challenge) verdict.outcome = Outcome::unrecognised;
  return verdict;
}

}  // namespace

providers::Verdict make_plain(http::Request& request, const ProviderRoute& route, providers::WallTime now) {
  const std::string url = public_url(request);
  const providers::RequestView view{request.method, url, request.fields, request.content};
  const providers::Message message(route.scheme, route.secrets, view);
  providers::Verdict verdict = verify_again(message, now);
  if (verdict.outcome != providers::Outcome::ok) return verdict;
  const std::string id = id_of(request, message, verdict.check);
  std::optional<std::string> text;
  if (message.encrypted()) text = std::string(message.text());
  if (text) set_body(request, std::move(*text));
  remove_proof(request.fields, route.scheme);
  sign_webhook(request, id, route.deliver_keys, now);
  return verdict;
}

Awaitable<Result<http::Response>> Plaintext::handle(http::Request&& request) {
  const auto found = routes_->find(request.context.route);
  if (found == routes_->end() || !found->second->plaintext) return next_.handle(std::move(request));
  const auto verdict = make_plain(request, *found->second, clock_());
  if (verdict.outcome == providers::Outcome::ok) return next_.handle(std::move(request));
  log::warn("edge", "{}: request {} is not proven with the secrets in force: {}", request.context.route,
            request.context.request_id, explain(verdict));
  // No fault of the upstream, and no other attempt helps: a dead letter, to be replayed once the key is back.
  return http::ready(http::error_response(422, "unproven", "it is not proven with the secrets in force",
                                          request.context.request_id));
}

}  // namespace rockdove::server
