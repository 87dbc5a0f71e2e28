// traceparent: what is taken is what the specification's grammar says; whatever came, what goes on is valid.
#include "http/forwarded.hpp"
#include "http/trace_context.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace rockdove::http;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

/// The grammar once more, by other means.
bool is_valid(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  if (text.size() > 55 && (text.starts_with("00") || text[55] != '-')) return false;
  const auto part = [&](std::size_t at, std::size_t size) { return text.substr(at, size); };
  return is_hex(part(0, 2)) && part(0, 2) != "ff" && is_hex(part(3, 32)) && is_hex(part(36, 16)) &&
         is_hex(part(53, 2)) && part(3, 32) != std::string(32, '0') && part(36, 16) != std::string(16, '0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto found = trace_id_of(text);
  require(found.has_value() == is_valid(text));
  if (found) require(*found == text.substr(3, 32));

  Request request;
  request.context.request_id = "00112233445566778899aabb";
  request.fields.add("traceparent", text);
  request.fields.add("tracestate", text);
  const Fields& fields = request.fields;
  require(join_trace(request, false) == found.value_or(std::string_view{}));
  require(fields.get("traceparent") == text && fields.get("tracestate") == text);
  const std::string joined = join_trace(request, true);
  add_made_fields(request);
  require(fields.count("traceparent") == 1 && trace_id_of(fields) == joined && joined.size() == 32);
  require(found ? fields.get("traceparent") == text && fields.get("tracestate") == text
                : !fields.contains("tracestate"));
  if (is_traceable(text)) require(trace_id_of(make_traceparent(text)) == trace_id_for(text));
  return 0;
}
