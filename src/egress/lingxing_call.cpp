#include "egress/lingxing_call.hpp"

#include "base/percent.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace rockdove::egress {
namespace {

using Refusal = std::optional<LingxingRefusal>;

Refusal refuse(int status, std::string cause, std::string message) {
  return LingxingRefusal{status, std::move(cause), std::move(message)};
}

/// For an error message: a name from outside, of bounded length.
std::string shown(std::string_view name) {
  return printable(to_utf8(name.substr(0, 100)), Lines::escape);
}

bool is_json_type(std::string_view type) {
  return http::iequals(trim(type.substr(0, type.find(';'))), "application/json");
}

/// The token endpoints, however the path is written.
bool is_token_path(std::string_view path) {
  std::string plain(path);
  while (plain.find('%') != plain.npos) {  // each turn is shorter
    auto decoded = percent_decode(plain);
    if (!decoded || *decoded == plain) break;
    plain = std::move(*decoded);
  }
  constexpr std::string_view service = "auth-server";
  const auto same_letter = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  };
  return std::search(plain.begin(), plain.end(), service.begin(), service.end(), same_letter) != plain.end();
}

Refusal too_many() {
  return refuse(
      400, "bad_parameter",
      "more than " + std::to_string(lingxing_parameters_max) + " parameters, query and body together");
}

Refusal take_query(LingxingCall& call, std::string_view query) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    if (call.parameters.size() >= lingxing_parameters_max) return too_many();
    const std::string_view name_text = pair.substr(0, pair.find('='));
    const auto name = query_decode(name_text);
    const auto value = query_decode(pair.substr(std::min(name_text.size() + 1, pair.size())));
    if (!name || !value || !is_utf8(*name) || !is_utf8(*value))
      return refuse(400, "bad_target", "the query has a bad escape, or is not UTF-8");
    if (!call.query.empty()) call.query += '&';
    call.query.append(percent_encode(*name)).append("=").append(percent_encode(*value));
    call.parameters.push_back({*name, *value});
  }
  return std::nullopt;
}

Refusal take_target(LingxingCall& call, std::string_view target) {
  if (!target.starts_with('/') || target.find('#') != target.npos)
    return refuse(400, "bad_target", "the target has to be a path with or without a query");
  call.path = target.substr(0, target.find('?'));
  if (!percent_decode(call.path)) return refuse(400, "bad_target", "the path has a bad escape");
  if (is_token_path(call.path))
    return refuse(403, "reserved_path",
                  "tokens are fetched by rockdove alone: a second holder would invalidate its token");
  if (call.path.size() == target.size()) return std::nullopt;
  return take_query(call, target.substr(call.path.size() + 1));
}

Refusal take_body(LingxingCall& call, const http::Request& request) {
  if (request.content.empty()) {
    call.has_body = request.has_body;
    return std::nullopt;
  }
  if (call.method == "GET")
    return refuse(400, "bad_body", "a GET carries its parameters in the query, not in a body");
  const auto type = request.fields.get("Content-Type");
  if ((type && !is_json_type(*type)) || request.fields.contains("Content-Encoding"))
    return refuse(415, "unsupported_type", "the body has to be JSON with Content-Type: application/json");
  auto body = parse_lingxing_body(request.content);
  if (!body)
    return refuse(
        400, "bad_body",
        "the body has to be one JSON object in UTF-8, at most 32 levels deep, with at most 500 members "
        "and 50000 values, and no object may have two members of one name");
  call.has_body = true;
  call.content = std::move(body->text);
  std::ranges::move(body->parameters, std::back_inserter(call.parameters));
  return std::nullopt;
}

Refusal check_names(const std::vector<LingxingParameter>& parameters) {
  if (parameters.size() > lingxing_parameters_max) return too_many();
  std::vector<std::string_view> names;
  for (const LingxingParameter& each : parameters) names.push_back(each.name);
  std::ranges::sort(names);
  if (!names.empty() && names.front().empty()) return refuse(400, "bad_parameter", "a parameter has no name");
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
    return refuse(400, "bad_parameter", "the parameter " + shown(*twice) + " is there twice");
  if (const auto reserved = std::ranges::find_if(names, is_lingxing_common); reserved != names.end())
    return refuse(400, "reserved_parameter",
                  "the parameter " + std::string(*reserved) + " is set by rockdove: leave it out");
  return std::nullopt;
}

/// What describes one sending, or would make an answer unreadable on its way.
void drop_own_fields(http::Fields& fields) {
  for (const char* name : {"Content-Type", "Content-Length", "Accept-Encoding", "Expect", "Range"})
    fields.remove(name);
}

}  // namespace

std::variant<LingxingCall, LingxingRefusal> lingxing_call(http::Request request) {
  if (!request.upgrade.empty() || request.method == "CONNECT")
    return LingxingRefusal{501, "upgrade_refused", "Lingxing speaks plain HTTP only"};
  if (request.method != "GET" && request.method != "POST")
    return LingxingRefusal{405, "bad_method", "Lingxing takes GET and POST only"};
  LingxingCall call;
  call.method = request.method;
  auto refusal = take_target(call, request.target);
  if (!refusal) refusal = take_body(call, request);
  if (!refusal) refusal = check_names(call.parameters);
  if (refusal) return std::move(*refusal);
  call.fields = std::move(request.fields);
  drop_own_fields(call.fields);
  call.context = std::move(request.context);
  return call;
}

http::Request lingxing_request(const LingxingCall& call, const LingxingCommon& common) {
  http::Request request;
  request.method = call.method;
  request.target = call.path + "?" + call.query + (call.query.empty() ? "" : "&") +
                   lingxing_common_query(call.parameters, common);
  request.fields = call.fields;
  request.has_body = call.has_body;
  request.content = call.content;
  request.context = call.context;
  if (!call.content.empty()) request.fields.add("Content-Type", "application/json");
  if (call.has_body) request.fields.add("Content-Length", std::to_string(call.content.size()));
  return request;
}

}  // namespace rockdove::egress
