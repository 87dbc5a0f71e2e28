#include "inbox/attempt.hpp"

#include "base/rfc3339.hpp"

#include <algorithm>

namespace rockdove::inbox {
namespace {

constexpr std::string_view event_id_field = "Rockdove-Event-Id", reserved_prefix = "Rockdove-";

bool is_reserved(const http::Fields::Field& field) {
  return http::iequals(field.name.substr(0, reserved_prefix.size()), reserved_prefix);
}

void keep(Exchange& result, std::string_view piece, std::size_t limit) {
  std::string& body = result.answer.body;
  const std::size_t kept = std::min(piece.size(), limit - body.size());
  body.append(piece.substr(0, kept));
  if (kept < piece.size()) result.answer.is_cut = true;
  if (!piece.empty()) result.outcome.has_body = true;
}

}  // namespace

http::Request attempt_request(const Event& event, StoredRequest stored, const RouteOptions& route) {
  http::Request request;
  request.method = std::move(stored.method);
  request.target = std::move(stored.target);
  request.fields = std::move(stored.fields);
  request.has_body = stored.has_body;
  request.content = std::move(stored.body);

  http::Fields& fields = request.fields;
  fields.remove_if(is_reserved);
  const std::string id = format_event_id(event.id);
  if (!fields.contains("Webhook-Id")) fields.add("Webhook-Id", id);
  fields.add(event_id_field, id);
  fields.add("Rockdove-Attempt", std::to_string(event.attempts + 1));
  fields.add("Rockdove-Received-At", format_rfc3339(event.received_at));
  if (event.replay) fields.add("Rockdove-Replay", "true");

  http::Context& context = request.context;
  context.request_id = std::move(stored.request_id);
  context.route = event.route;
  context.tunnel = route.tunnel.empty() ? event.tunnel : route.tunnel;
  context.upstream = route.upstream.empty() ? std::move(stored.upstream) : route.upstream;
  context.host = std::move(stored.host);
  boost::system::error_code unknown;  // leaves the unspecified address
  context.peer = net::asio::ip::make_address(stored.peer, unknown);
  context.tls = stored.tls;
  context.stored = true;
  context.first_byte_timeout = route.retry.timeout;
  return request;
}

Awaitable<Exchange> exchange(http::Handler& agents, http::Request request, std::size_t answer_bytes) {
  Exchange result;
  auto response = co_await agents.handle(std::move(request));
  if (!response) {
    result.outcome.error = response.error();
    co_return result;
  }
  result.outcome.status = result.answer.status = response->status;
  result.answer.fields = std::move(response->fields);
  keep(result, response->content, answer_bytes);
  if (response->switched) co_return result;  // what follows is no answer, and may never end
  while (response->body) {
    const Result<std::string_view> piece = co_await response->body->read();
    if (!piece) result.outcome.error = piece.error();
    if (!piece || piece->empty()) break;
    keep(result, *piece, answer_bytes);
  }
  co_return result;
}

Attempt attempt_of(const http::Record& record, const Exchange& result) {
  Attempt attempt;
  attempt.agent = record.agent;
  attempt.status = result.outcome.status;
  if (result.outcome.error) attempt.error = error_name(result.outcome.error);
  attempt.type = result.answer.fields.get("Content-Type").value_or("");
  attempt.body = result.answer.body.substr(0, answer_bytes_max);
  return attempt;
}

}  // namespace rockdove::inbox
