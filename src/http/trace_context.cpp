#include "http/trace_context.hpp"

#include <algorithm>

namespace rockdove::http {
namespace {

constexpr std::size_t version_at = 0, trace_at = 3, parent_at = 36, flags_at = 53;
constexpr std::size_t version_size = 2, trace_size = 32, parent_size = 16, flags_size = 2;
constexpr std::size_t size_of_version_00 = flags_at + flags_size;

bool is_hex(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) noexcept {
  return is_hex(text) && text.find_first_not_of('0') != text.npos;
}

}  // namespace

std::optional<std::string_view> trace_id_of(std::string_view traceparent) noexcept {
  if (traceparent.size() < size_of_version_00) return std::nullopt;
  for (const std::size_t dash : {trace_at - 1, parent_at - 1, flags_at - 1})
    if (traceparent[dash] != '-') return std::nullopt;
  const std::string_view version = traceparent.substr(version_at, version_size);
  const std::string_view trace = traceparent.substr(trace_at, trace_size);
  if (!is_hex(version) || version == "ff" || !is_id(trace)) return std::nullopt;
  if (!is_id(traceparent.substr(parent_at, parent_size))) return std::nullopt;
  if (!is_hex(traceparent.substr(flags_at, flags_size))) return std::nullopt;
  const std::string_view rest = traceparent.substr(size_of_version_00);
  if (!rest.empty() && (version == "00" || rest.front() != '-')) return std::nullopt;
  return trace;
}

std::optional<std::string_view> trace_id_of(const Fields& fields) noexcept {
  const auto value = fields.get("traceparent");
  if (!value || fields.count("traceparent") != 1) return std::nullopt;
  return trace_id_of(*value);
}

bool is_traceable(std::string_view request_id) noexcept {
  const bool fits = request_id.size() >= parent_size && request_id.size() <= trace_size;
  return fits && is_hex(request_id) && request_id.find_last_not_of('0') + parent_size >= request_id.size();
}

std::string trace_id_for(std::string_view request_id) {
  std::string id(trace_size - request_id.size(), '0');
  return id.append(request_id);
}

std::string make_traceparent(std::string_view request_id) {
  std::string text;
  text.reserve(size_of_version_00);
  text.append("00-").append(trace_size - request_id.size(), '0').append(request_id).append("-");
  return text.append(request_id.substr(request_id.size() - parent_size)).append("-01");
}

std::string join_trace(Request& request, bool make) {
  Fields& fields = request.fields;
  if (const auto known = trace_id_of(fields)) return std::string(*known);
  if (!make) return {};
  fields.remove("traceparent");
  fields.remove("tracestate");
  request.context.to_add.trace = true;
  return trace_id_for(request.context.request_id);
}

}  // namespace rockdove::http
