#include "tunnel/head.hpp"

#include "http/forwarded.hpp"
#include "http/hop_by_hop.hpp"
#include "http/parser.hpp"
#include "http/trace_context.hpp"
#include "net/address.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

namespace rockdove::tunnel {
namespace {

// More than a small string holds inside itself, and enough for all that is written there: the list's views
// must survive the head being moved.
constexpr std::size_t texts_room = 96;

// The usual time limit of either end, so usual that it is not sent.
constexpr std::chrono::seconds usual_first_byte{60};

// A request's id alone, or with a trace that is made of it (http/forwarded.hpp).
constexpr std::string_view id_name = ":rd-id", traced_id_name = ":rd-trace", caller_name = ":rd-for";

bool is_target(std::string_view target) {
  if (target.empty()) return false;
  for (const char c : target)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
  return true;
}

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void add_all(H2::HeadList& list, const http::Fields& fields) {
  for (const auto field : fields) list.push_back(field);
}

bool is_safe_field(const http::Fields::Field& field) {
  return http::is_token(field.name) && http::is_field_value(field.value);
}

/// What of a head travels beside the fields goes to `beside`, name and value, which returns false for what
/// makes no sense. The others must be such that HTTP/1.1 can be written from them: each is safe, and
/// Content-Length stands there once at most and is a number.
template <class Beside>
Result<void> read_head(const http::Fields& head, const Beside& beside) {
  bool has_length = false;
  for (const auto [name, value] : head) {
    if (name.starts_with(':')) {
      if (!http::is_field_value(value) || !beside(name, value)) return Error::protocol;
      continue;
    }
    if (!is_safe_field({name, value})) return Error::protocol;
    if (!http::iequals(name, "content-length")) continue;
    if (std::exchange(has_length, true) || !to_number<std::uint64_t>(value)) return Error::protocol;
  }
  return {};
}

/// The message's own fields: framing is ours to write.
http::Fields take_fields(http::Fields&& head) {
  http::Fields fields = std::move(head);
  fields.remove_if([](const http::Fields::Field& field) { return field.name.starts_with(':'); });
  http::remove_hop_by_hop(fields);
  return fields;
}

/// What a request's head says that is neither in its fields nor in its context.
struct Beside {
  std::string protocol, caller;
};

bool read_beside(std::string_view name, std::string_view value, http::Request& request, Beside& beside) {
  http::Context& context = request.context;
  if (name == ":method") {
    request.method = value;
  } else if (name == ":path") {
    request.target = value;
  } else if (name == ":scheme") {
    context.tls = value == "https";
  } else if (name == id_name || name == traced_id_name) {
    if (value.empty()) return true;  // is there for its name alone (tunnel/h2_callbacks.hpp)
    context.request_id = value;
    context.to_add.request_id = true;
    context.to_add.trace = name == traced_id_name;
    return http::is_traceable(value);
  } else if (name == caller_name) {
    beside.caller = value;
    return !value.empty();
  } else if (name == ":rd-timeout") {
    const auto limit = to_number<std::uint32_t>(value);
    if (!limit) return false;
    context.first_byte_timeout = std::chrono::milliseconds(*limit);
  } else if (name == ":protocol") {
    beside.protocol = value;
  } else if (name == ":rd-upstream") {
    context.upstream = value;
  } else if (name == ":rd-host") {
    context.host = value;
  } else if (name == ":rd-expect") {
    request.expects_continue = true;
  } else if (name == ":status") {
    return false;
  }
  return true;
}

}  // namespace

bool is_safe(const http::Fields& fields) {
  for (const auto field : fields)
    if (!is_safe_field(field)) return false;
  return true;
}

bool are_safe_trailers(const http::Fields& fields) {
  for (const auto [name, value] : fields)
    if (!http::is_trailer_name(name)) return false;
  return is_safe(fields);
}

OutgoingHead encode_request(const http::Request& request) {
  const http::Context& context = request.context;
  OutgoingHead head;
  head.texts.reserve(texts_room);
  const auto own = [&head](std::string_view text) {
    head.texts.append(text);
    return std::string_view(head.texts).substr(head.texts.size() - text.size());
  };
  H2::HeadList& list = head.list;
  list.reserve(request.fields.size() + 11);
  const bool is_upgrade = !request.upgrade.empty();
  list.push_back({":method", is_upgrade ? std::string_view("CONNECT") : std::string_view(request.method)});
  // A plain CONNECT has no :protocol (RFC 9113 section 8.5); an upgrade is extended CONNECT (RFC 8441).
  if (is_upgrade && request.method != "CONNECT") list.push_back({":protocol", request.upgrade});
  list.push_back({":scheme", context.tls ? std::string_view("https") : std::string_view("http")});
  list.push_back({":path", request.target});
  if (!context.upstream.empty()) list.push_back({":rd-upstream", context.upstream});
  if (!context.host.empty()) list.push_back({":rd-host", context.host});
  if (request.expects_continue) list.push_back({":rd-expect", "100-continue"});
  const bool has_limit = context.first_byte_timeout > net::Duration::zero();
  if (has_limit && context.first_byte_timeout != usual_first_byte) {
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(context.first_byte_timeout);
    list.push_back({":rd-timeout", own(std::to_string(limit.count()))});
  }
  if (context.to_add.trace) list.push_back({traced_id_name, context.request_id});
  else if (context.to_add.request_id) list.push_back({id_name, context.request_id});
  if (context.to_add.forwarded) list.push_back({caller_name, own(net::to_string(context.peer))});
  add_all(list, request.fields);
  return head;
}

OutgoingHead encode_response(int status, const http::Fields& fields, net::Duration took) {
  OutgoingHead head;
  head.texts.reserve(texts_room);
  head.texts = std::to_string(status);
  const std::size_t status_size = head.texts.size();
  constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();  // 71 minutes
  const auto time =
      std::min<std::int64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count(), longest);
  if (time > 0) head.texts += std::to_string(time);
  const std::string_view texts = head.texts;
  head.list.reserve(fields.size() + 2);
  head.list.push_back({":status", texts.substr(0, status_size)});
  if (time > 0) head.list.push_back({":rd-time", texts.substr(status_size)});
  add_all(head.list, fields);
  return head;
}

OutgoingHead encode_error(boost::system::error_code error) {
  OutgoingHead head;
  head.list.push_back({":status", error == Error::upstream_timeout ? "504" : "502"});
  head.list.push_back({":rd-error", error_name(error)});
  return head;
}

Result<void> decode_request(http::Fields&& head, http::Request& request) {
  Beside beside;
  const auto read = read_head(head, [&](std::string_view name, std::string_view value) {
    return read_beside(name, value, request, beside);
  });
  if (!read) return read.error();
  if (request.method == "CONNECT") {
    request.upgrade = beside.protocol.empty() ? "connect" : beside.protocol;
    if (!beside.protocol.empty()) request.method = "GET";
  }
  if (!http::is_token(request.method) || !is_target(request.target)) return Error::protocol;
  // What is behind the head of a switch has no length.
  if (!request.upgrade.empty() && head.get("content-length").value_or("0") != "0") return Error::protocol;
  request.fields = take_fields(std::move(head));
  if (!beside.caller.empty()) http::add_forwarded(request, beside.caller);
  http::add_made_fields(request);
  return {};
}

Result<void> decode_response(http::Fields&& head, http::Response& response) {
  if (const auto error = head.get(":rd-error")) return error_named(*error);
  response.status = 0;
  const auto read = read_head(head, [&response](std::string_view name, std::string_view value) {
    if (name == ":status") {
      response.status = to_number<int>(value).value_or(0);
    } else if (name == ":rd-time" && !value.empty()) {
      const auto number = to_number<std::uint32_t>(value);
      if (!number) return false;
      response.took = std::chrono::microseconds(*number);
    }
    return true;
  });
  if (!read) return read.error();
  if (response.status < 100 || response.status > 999) return Error::protocol;
  response.fields = take_fields(std::move(head));
  return {};
}

}  // namespace rockdove::tunnel
