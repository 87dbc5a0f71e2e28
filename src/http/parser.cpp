#include "http/parser.hpp"

#include "base/text.hpp"
#include "http/lines.hpp"
#include "http/message.hpp"

#include <algorithm>

namespace rockdove::http {
namespace {

/// What the fields of a head say about its framing and its connection, collected in the one pass.
struct Noted {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::uint64_t length = 0;
  std::size_t codings = 0;  // Transfer-Encoding fields
  std::string_view coding;  // the last one's value
  bool close = false;       // Connection: close
  bool keep_alive = false;  // Connection: keep-alive
};

/// host [":" port] (RFC 9110 section 7.2, RFC 3986 section 3.2.2). An empty host names nothing that http
/// could reach, so it is refused.
bool is_host_and_port(std::string_view text, bool needs_port) noexcept {
  std::size_t size = 0;
  if (text.starts_with('[')) {
    size = text.find(']');
    if (size == text.npos || size < 3) return false;
    const std::string_view literal = text.substr(1, size - 1);
    if (literal.find_first_not_of("0123456789abcdefABCDEF:.") != literal.npos) return false;
    ++size;
  } else {
    size = detail::span_of(text, detail::host_byte);
    constexpr std::string_view hex = "0123456789abcdefABCDEF";
    for (std::size_t at = 0; (at = text.find('%', at)) < size; at += 3)
      if (at + 2 >= size || hex.find(text[at + 1]) == hex.npos || hex.find(text[at + 2]) == hex.npos)
        return false;
  }
  if (size == 0) return false;
  const std::string_view port = text.substr(size);
  if (port.empty() || port == ":") return !needs_port;
  std::uint64_t number = 0;
  return port.front() == ':' && detail::parse_decimal(port.substr(1), number) && number <= 65535;
}

/// scheme "://" and something after it (RFC 9112 section 3.2.2): all that http and https know.
bool is_absolute_form(std::string_view target) noexcept {
  const std::size_t colon = target.find(':');
  if (colon == target.npos || colon == 0 || !target.substr(colon).starts_with("://")) return false;
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const auto in_scheme = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  const std::string_view scheme = target.substr(0, colon);
  if (!is_letter(scheme.front()) || !std::all_of(scheme.begin(), scheme.end(), in_scheme)) return false;
  return target.size() > colon + 3 && target[colon + 3] != '/';
}

/// RFC 9112 section 3.2.
bool is_target_form(std::string_view method, std::string_view target) noexcept {
  if (method == "CONNECT") return is_host_and_port(target, true);
  if (target.front() == '/') return true;
  if (target == "*") return method == "OPTIONS";
  return is_absolute_form(target);
}

/// Cuts "HTTP/1.0" or "HTTP/1.1" off `rest`.
Result<int> cut_version(std::string_view& rest) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::string_view version = rest.substr(0, 8);
  if (version.size() < 8 || !version.starts_with("HTTP/") || version[6] != '.' || !is_digit(version[5]) ||
      !is_digit(version[7]))
    return Error::malformed;
  rest.remove_prefix(version.size());
  if (version[5] != '1' || version[7] > '1') return Error::version_not_supported;
  return version[7] - '0';
}

/// Cuts the request line (RFC 9112 section 3) off `rest`.
Result<void> cut_request_line(std::string_view& rest, const HeadLimits& limits, RequestHead& head) {
  const std::string_view method = rest.substr(0, detail::span_of(rest, detail::token_byte));
  rest.remove_prefix(method.size());
  if (method.empty() || !rest.starts_with(' ')) return Error::malformed;
  rest.remove_prefix(1);
  const std::string_view target = rest.substr(0, detail::span_of(rest, detail::target_byte));
  rest.remove_prefix(target.size());
  if (target.empty() || !rest.starts_with(' ')) return Error::malformed;
  if (target.size() > limits.target_bytes) return Error::target_too_long;
  rest.remove_prefix(1);
  const Result<int> version = cut_version(rest);
  if (!rest.starts_with("\r\n")) return Error::malformed;
  if (!version) return version.error();  // before the form: "PRI * HTTP/2.0" is a version, not a bad target
  if (!is_target_form(method, target)) return Error::malformed;
  rest.remove_prefix(2);
  head.method = method;
  head.target = target;
  head.minor_version = *version;
  return {};
}

/// Cuts the status line (RFC 9112 section 4) off `rest`.
Result<void> cut_status_line(std::string_view& rest, ResponseHead& head) {
  const Result<int> version = cut_version(rest);
  if (!version) return version.error();
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (rest.size() < 6 || rest[0] != ' ' || rest[1] == '0') return Error::malformed;
  if (!is_digit(rest[1]) || !is_digit(rest[2]) || !is_digit(rest[3])) return Error::malformed;
  head.status = (rest[1] - '0') * 100 + (rest[2] - '0') * 10 + (rest[3] - '0');
  head.minor_version = *version;
  // The space before an absent reason is required, and left out by enough servers; nothing hangs on it.
  if (rest[4] != ' ' && rest[4] != '\r') return Error::malformed;
  std::size_t end = detail::find_control(rest, 4);
  while (end < rest.size() && rest[end] == '\t') end = detail::find_control(rest, end + 1);
  if (!rest.substr(end).starts_with("\r\n")) return Error::malformed;
  rest.remove_prefix(end + 2);
  return {};
}

void note_connection(std::string_view options, Noted& noted) noexcept {
  while (!options.empty()) {
    const std::size_t comma = options.find(',');
    const std::string_view option = trim(options.substr(0, comma));
    if (iequals(option, "close")) noted.close = true;
    else if (iequals(option, "keep-alive")) noted.keep_alive = true;
    options = comma == options.npos ? std::string_view{} : options.substr(comma + 1);
  }
}

/// Looks at one field; the name's length rules nearly all of them out. False if its value is bad.
bool note_field(const Fields::Field& field, Noted& noted) noexcept {
  switch (field.name.size()) {
    case 4:
      if (!iequals(field.name, "host")) return true;
      ++noted.hosts;
      return is_host_and_port(field.value, false);
    case 10:
      if (iequals(field.name, "connection")) note_connection(field.value, noted);
      return true;
    case 14:
      if (!iequals(field.name, "content-length")) return true;
      return ++noted.lengths == 1 && detail::parse_decimal(field.value, noted.length);
    case 17:
      if (!iequals(field.name, "transfer-encoding")) return true;
      noted.coding = field.value;
      return ++noted.codings == 1;
    default: return true;
  }
}

constexpr std::size_t added_fields = 6, added_bytes = 256;  // X-Forwarded-*, X-Request-Id, Traceparent

/// Parses the field lines and the empty line that ends them: all of `rest`.
Result<void> parse_fields(std::string_view rest, const HeadLimits& limits, Fields& fields, Noted& noted) {
  // Field lines of 24 bytes are short ones: guessing is cheaper than counting them. A few more are added on
  // a request's way.
  fields.reserve(std::min(limits.fields, rest.size() / 24) + added_fields, rest.size() + added_bytes);
  Fields::Field field;
  while (rest != "\r\n") {
    if (!detail::cut_field(rest, field) || !note_field(field, noted)) return Error::malformed;
    if (fields.size() == limits.fields) return Error::header_too_large;
    fields.add(field.name, field.value);
  }
  return {};
}

/// True for a list of transfer codings (RFC 9112 section 7), whatever they are; parameters are not looked
/// into.
bool is_coding_list(std::string_view list) noexcept {
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view coding = trim(list.substr(0, comma));
    const std::size_t semicolon = coding.find(';');
    if (!is_token(trim(coding.substr(0, semicolon)))) return false;
    if (semicolon != coding.npos && trim(coding.substr(semicolon + 1)).empty()) return false;
    if (comma == list.npos) return true;
    list.remove_prefix(comma + 1);
  }
}

/// Whether the body is chunked, once Transfer-Encoding is known to be harmless (RFC 9112 section 6.1).
Result<bool> check_coding(const Noted& noted, int minor_version) {
  if (noted.codings == 0) return false;
  if (noted.lengths > 0 || minor_version == 0) return Error::malformed;
  if (iequals(noted.coding, "chunked")) return true;
  return is_coding_list(noted.coding) ? Error::not_implemented : Error::malformed;
}

/// RFC 9112 section 9.3.
bool is_persistent(const Noted& noted, int minor_version) noexcept {
  return !noted.close && (minor_version > 0 || noted.keep_alive);
}

}  // namespace

Result<std::size_t> find_head(std::string_view bytes, const HeadLimits& limits, std::size_t& scanned) {
  const std::string_view window = bytes.substr(0, limits.header_bytes);
  const std::size_t start = window.starts_with("\r\n") ? 2 : 0;
  const Result<std::size_t> end = detail::find_section_end(window, start, scanned);
  if (!end) return end.error();
  if (*end == start + 2) return Error::malformed;  // a second empty line where the first line should be
  if (*end == 0 && window.size() == limits.header_bytes) return Error::header_too_large;
  return *end;
}

Result<RequestHead> parse_request_head(std::string_view head, const HeadLimits& limits) {
  if (head.size() > limits.header_bytes) return Error::header_too_large;
  if (head.starts_with("\r\n")) head.remove_prefix(2);
  RequestHead request;
  if (const Result<void> line = cut_request_line(head, limits, request); !line) return line.error();
  Noted noted;
  if (const Result<void> all = parse_fields(head, limits, request.fields, noted); !all) return all.error();
  if (noted.hosts > 1 || (noted.hosts == 0 && request.minor_version > 0)) return Error::malformed;
  const Result<bool> chunked = check_coding(noted, request.minor_version);
  if (!chunked) return chunked.error();
  if (*chunked) {
    request.framing = Framing::chunked;
  } else if (noted.lengths > 0) {
    request.framing = Framing::length;
    request.content_length = noted.length;
  }
  request.keep_alive = is_persistent(noted, request.minor_version);
  return request;
}

Result<ResponseHead> parse_response_head(std::string_view head, const HeadLimits& limits,
                                         std::string_view method) {
  if (head.size() > limits.header_bytes) return Error::header_too_large;
  ResponseHead response;
  if (const Result<void> line = cut_status_line(head, response); !line) return line.error();
  Noted noted;
  if (const Result<void> all = parse_fields(head, limits, response.fields, noted); !all) return all.error();
  const Result<bool> chunked = check_coding(noted, response.minor_version);
  if (!chunked) return chunked.error();
  response.keep_alive = is_persistent(noted, response.minor_version);
  const bool connected = method == "CONNECT" && response.status / 100 == 2;
  if (is_bodiless(method, response.status) || connected) {
    response.framing = Framing::none;
  } else if (*chunked) {
    response.framing = Framing::chunked;
  } else if (noted.lengths > 0) {
    response.framing = Framing::length;
    response.content_length = noted.length;
  } else {
    response.framing = Framing::until_close;
    response.keep_alive = false;
  }
  return response;
}

}  // namespace rockdove::http
