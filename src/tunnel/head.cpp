#include "tunnel/head.hpp"

#include "http/forwarded.hpp"
#include "http/hop_by_hop.hpp"
#include "http/parser.hpp"
#include "http/trace_context.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

namespace rockdove::tunnel {
namespace {

// More than a small string holds inside itself: the list's views must survive the head being moved.
constexpr std::size_t numbers_room = 64;

// A request's id alone, or with a trace that is made of it (http/forwarded.hpp).
constexpr std::string_view id_name = ":rd-id", traced_id_name = ":rd-trace";

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

/// Whether the fields of a message are such that HTTP/1.1 can be written from them: each is safe, and
/// Content-Length stands there once at most and is a number.
bool is_usable(const http::Fields& fields) {
  bool has_length = false;
  for (const auto field : fields) {
    if (!is_safe_field(field)) return false;
    if (!http::iequals(field.name, "content-length")) continue;
    if (std::exchange(has_length, true) || !to_number<std::uint64_t>(field.value)) return false;
  }
  return true;
}

/// What travels beside the fields. `protocol` is a view into `pseudo`.
Result<void> read_pseudo(const http::Fields& pseudo, http::Request& request, std::string_view& protocol) {
  http::Context& context = request.context;
  for (const auto [name, value] : pseudo) {
    if (!http::is_field_value(value)) return Error::protocol;
    if (name == ":method") {
      request.method = value;
    } else if (name == ":path") {
      request.target = value;
    } else if (name == ":scheme") {
      context.tls = value == "https";
    } else if (name == ":rd-timeout") {
      const auto limit = to_number<std::uint32_t>(value);
      if (!limit) return Error::protocol;
      context.first_byte_timeout = std::chrono::milliseconds(*limit);
    } else if (name == id_name || name == traced_id_name) {
      if (!http::is_traceable(value)) return Error::protocol;
      context.request_id = value;
      context.id_fields = name == id_name ? http::IdFields::request_id : http::IdFields::request_id_and_trace;
    } else if (name == ":protocol") {
      protocol = value;
    } else if (name == ":rd-upstream") {
      context.upstream = value;
    } else if (name == ":rd-host") {
      context.host = value;
    } else if (name == ":rd-expect") {
      request.expects_continue = true;
    } else if (name == ":status") {
      return Error::protocol;
    }
  }
  return {};
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
  head.numbers.reserve(numbers_room);
  H2::HeadList& list = head.list;
  list.reserve(request.fields.size() + 10);
  const bool is_upgrade = !request.upgrade.empty();
  list.push_back({":method", is_upgrade ? std::string_view("CONNECT") : std::string_view(request.method)});
  // A plain CONNECT has no :protocol (RFC 9113 section 8.5); an upgrade is extended CONNECT (RFC 8441).
  if (is_upgrade && request.method != "CONNECT") list.push_back({":protocol", request.upgrade});
  list.push_back({":scheme", context.tls ? std::string_view("https") : std::string_view("http")});
  list.push_back({":path", request.target});
  if (!context.upstream.empty()) list.push_back({":rd-upstream", context.upstream});
  if (!context.host.empty()) list.push_back({":rd-host", context.host});
  if (request.expects_continue) list.push_back({":rd-expect", "100-continue"});
  if (context.first_byte_timeout > net::Duration::zero()) {
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(context.first_byte_timeout);
    head.numbers = std::to_string(limit.count());
    list.push_back({":rd-timeout", head.numbers});
  }
  if (context.id_fields == http::IdFields::request_id) list.push_back({id_name, context.request_id});
  if (context.id_fields == http::IdFields::request_id_and_trace)
    list.push_back({traced_id_name, context.request_id});
  add_all(list, request.fields);
  return head;
}

OutgoingHead encode_response(int status, const http::Fields& fields, net::Duration took) {
  OutgoingHead head;
  head.numbers.reserve(numbers_room);
  head.numbers = std::to_string(status);
  const std::size_t status_size = head.numbers.size();
  constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();  // 71 minutes
  const auto time =
      std::min<std::int64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count(), longest);
  if (time > 0) head.numbers += std::to_string(time);
  const std::string_view numbers = head.numbers;
  head.list.reserve(fields.size() + 2);
  head.list.push_back({":status", numbers.substr(0, status_size)});
  if (time > 0) head.list.push_back({":rd-time", numbers.substr(status_size)});
  add_all(head.list, fields);
  return head;
}

OutgoingHead encode_error(boost::system::error_code error) {
  OutgoingHead head;
  head.list.push_back({":status", error == Error::upstream_timeout ? "504" : "502"});
  head.list.push_back({":rd-error", error_name(error)});
  return head;
}

Result<void> decode_request(H2Stream::Head&& head, http::Request& request) {
  std::string_view protocol;
  if (const auto read = read_pseudo(head.pseudo, request, protocol); !read) return read.error();
  if (request.method == "CONNECT") {
    request.upgrade = protocol.empty() ? "connect" : protocol;
    if (!protocol.empty()) request.method = "GET";
  }
  if (!http::is_token(request.method) || !is_target(request.target) || !is_usable(head.fields))
    return Error::protocol;
  // What is behind the head of a switch has no length.
  if (!request.upgrade.empty() && head.fields.get("content-length").value_or("0") != "0")
    return Error::protocol;
  request.fields = std::move(head.fields);
  http::remove_hop_by_hop(request.fields);  // framing is ours to write
  http::add_id_fields(request);
  return {};
}

Result<void> decode_response(H2Stream::Head&& head, http::Response& response) {
  if (const auto error = head.pseudo.get(":rd-error")) return error_named(*error);
  const auto status = to_number<int>(head.pseudo.get(":status").value_or(std::string_view{}));
  if (!status || *status < 100 || *status > 999 || !is_usable(head.fields)) return Error::protocol;
  response.status = *status;
  if (const auto time = head.pseudo.get(":rd-time")) {
    const auto number = to_number<std::uint32_t>(*time);
    if (!number) return Error::protocol;
    response.took = std::chrono::microseconds(*number);
  }
  response.fields = std::move(head.fields);
  http::remove_hop_by_hop(response.fields);  // framing is ours to write
  return {};
}

}  // namespace rockdove::tunnel
