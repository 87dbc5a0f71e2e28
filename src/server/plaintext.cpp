#include "server/plaintext.hpp"

#include "http/error_response.hpp"
#include "net/crypto.hpp"
#include "net/log.hpp"
#include "net/signing.hpp"
#include "providers/message.hpp"

#include <array>
#include <chrono>

namespace rockdove::server {
namespace {

using providers::Place;

void remove_if_field(http::Fields& fields, const std::optional<Place>& place) {
  if (place && place->from == Place::From::header) fields.remove(place->name);
}

/// Signatures, timestamps and nonces: they belong to other bytes now, or are themselves the secret.
void remove_proof(http::Fields& fields, const providers::Scheme& scheme) {
  for (const providers::Check& check : scheme.checks) {
    for (const Place& place : check.signature) remove_if_field(fields, place);
    remove_if_field(fields, check.timestamp);
    remove_if_field(fields, check.nonce);
  }
}

bool open_body(http::Request& request, const ProviderRoute& route) {
  const providers::RequestView view{request.method, request.target, request.fields, request.content};
  const providers::Message message(route.scheme, route.secrets, view);
  if (!message.encrypted()) return true;
  if (!message.opened()) return false;
  std::string text(message.text());
  request.fields.set("Content-Type", text.starts_with('<') ? "application/xml" : "application/json");
  request.fields.set("Content-Length", std::to_string(text.size()));
  request.content = std::move(text);
  request.has_body = true;
  return true;
}

/// https://www.standardwebhooks.com, "Signature scheme": one for each key, so that keys can be replaced.
void sign(http::Request& request, const std::vector<std::string>& keys, providers::WallTime now) {
  const std::string id(request.fields.get("webhook-id").value_or(request.context.request_id));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const std::string timestamp = std::to_string(seconds);
  const std::array<std::string_view, 5> pieces{id, ".", timestamp, ".", request.content};
  std::string signatures;
  for (const std::string& key : keys)
    signatures +=
        (signatures.empty() ? "v1," : " v1,") + net::base64(net::hmac(net::Digest::sha256, key, pieces));
  request.fields.set("Webhook-Id", id);
  request.fields.set("Webhook-Timestamp", timestamp);
  request.fields.set("Webhook-Signature", signatures);
}

}  // namespace

bool make_plain(http::Request& request, const ProviderRoute& route, providers::WallTime now) {
  if (!open_body(request, route)) return false;
  remove_proof(request.fields, route.scheme);
  sign(request, route.deliver_keys, now);
  return true;
}

Awaitable<Result<http::Response>> Plaintext::handle(http::Request request) {
  const auto found = routes_->find(request.context.route);
  if (found == routes_->end() || !found->second->plaintext) return next_.handle(std::move(request));
  if (make_plain(request, *found->second, clock_())) return next_.handle(std::move(request));
  log::warn("edge", "{}: request {} does not open any more: the secret it came under is gone",
            request.context.route, request.context.request_id);
  // No fault of the upstream, and no other attempt helps: a dead letter, to be replayed once the key is back.
  return http::ready(http::error_response(422, "undecipherable", "the secret it came under is gone",
                                          request.context.request_id));
}

}  // namespace rockdove::server
