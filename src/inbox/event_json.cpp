#include "inbox/event_json.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "net/crypto.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace rockdove::inbox {
namespace {

namespace json = boost::json;

json::value time_or_null(WallTime time) {
  if (time == WallTime{}) return nullptr;
  return json::value(format_rfc3339(time));
}

json::value text_or_null(std::string_view text) {
  if (text.empty()) return nullptr;
  return json::value(to_utf8(text));
}

/// A string; what no string can hold is an object, so that nothing is lost.
json::value exact(std::string_view bytes) {
  if (is_utf8(bytes)) return json::value(bytes);
  return json::object{{"base64", net::base64(bytes)}};
}

}  // namespace

json::object bytes_to_json(std::string_view bytes, std::size_t limit) {
  json::object object;
  // Not a look at all of it: that may be a gigabyte.
  const std::string_view prefix = utf8_prefix(bytes, limit);
  const bool is_cut_char = std::min(limit, bytes.size()) - prefix.size() < 4;  // else these are no characters
  const bool is_text = is_cut_char && is_utf8(prefix);
  const std::string_view shown = is_text ? prefix : bytes.substr(0, limit);
  if (is_text) object["text"] = shown;
  else object["base64"] = net::base64(shown);
  object["bytes"] = bytes.size();
  object["truncated"] = shown.size() < bytes.size();
  return object;
}

json::object to_json(const Event& event) {
  json::object object;
  object["id"] = format_event_id(event.id);
  object["route"] = to_utf8(event.route);
  object["tunnel"] = to_utf8(event.tunnel);
  object["state"] = state_name(event.state);
  object["received_at"] = format_rfc3339(event.received_at);
  object["due_at"] = event.state == State::waiting ? json::value(format_rfc3339(event.due_at)) : nullptr;
  object["first_attempt_at"] = time_or_null(event.first_attempt_at);
  object["attempts"] = event.attempts;
  object["replay"] = event.replay;
  object["order_key"] = event.ordered ? json::value(to_utf8(event.order_key)) : nullptr;
  object["reason"] = text_or_null(event.reason);
  object["method"] = to_utf8(event.method);
  object["target"] = to_utf8(event.target);
  object["bytes"] = event.bytes;
  return object;
}

json::object to_json(const StoredRequest& request, std::size_t body_limit) {
  json::object object;
  object["method"] = exact(request.method);
  object["target"] = exact(request.target);
  json::array fields;
  for (const auto& [name, value] : request.fields) fields.push_back(json::array{exact(name), exact(value)});
  object["fields"] = std::move(fields);
  object["body"] = request.has_body ? json::value(bytes_to_json(request.body, body_limit)) : nullptr;
  object["request_id"] = text_or_null(request.request_id);
  object["peer"] = text_or_null(request.peer);
  object["tls"] = request.tls;
  object["upstream"] = text_or_null(request.upstream);
  object["host"] = text_or_null(request.host);
  return object;
}

json::object to_json(const Attempt& attempt) {
  json::object object;
  object["number"] = attempt.number;
  object["started_at"] = format_rfc3339(attempt.started_at);
  object["latency_ms"] = attempt.took.count();
  object["agent"] = text_or_null(attempt.agent);
  object["status"] = attempt.status == 0 ? json::value(nullptr) : json::value(attempt.status);
  object["error"] = text_or_null(attempt.error);
  if (attempt.status == 0) {
    object["answer"] = nullptr;
    return object;
  }
  json::object answer;
  answer["type"] = text_or_null(attempt.type);
  answer["body"] = bytes_to_json(attempt.body, answer_bytes_max);
  object["answer"] = std::move(answer);
  return object;
}

}  // namespace rockdove::inbox
