#include "tunnel/handshake.hpp"

#include "http/message.hpp"
#include "tunnel/websocket.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

namespace rockdove::tunnel {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr std::size_t reason_max = 32;
constexpr std::size_t delay_digits_max = 9;
constexpr std::size_t time_digits_max = 15;
constexpr std::array<std::string_view, 3> direction_names = {"ingress", "egress", "probe"};

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_printable(char c) noexcept {
  return c > ' ' && c <= '~';
}
constexpr bool is_hex(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

/// True for 1 to `max` characters that all satisfy `allowed`.
template <class Predicate>
bool is_word(std::string_view text, std::size_t max, Predicate allowed) noexcept {
  return !text.empty() && text.size() <= max && std::ranges::all_of(text, allowed);
}

bool valid_version(std::string_view version) noexcept {
  return is_word(version, 32, is_printable);
}
bool valid_instance(std::string_view instance) noexcept {
  return is_word(instance, 32, is_hex);
}
bool valid_reason(std::string_view reason) noexcept {
  return is_word(reason, reason_max, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

/// True for the base64 form of 16 bytes (RFC 6455 section 4.2.1). Its last digit carries four bits that
/// ought to be zero; like most servers we do not look at them.
bool valid_key(std::string_view key) noexcept {
  return key.size() == 24 && key.ends_with("==") && is_word(key.substr(0, 22), 22, [](char c) {
           return is_digit(c) || is_lower(c) || is_upper(c) || c == '+' || c == '/';
         });
}

/// The value of the field called `name` if there is exactly one.
std::optional<std::string_view> only(const http::Fields& fields, std::string_view name) {
  return fields.count(name) == 1 ? fields.get(name) : std::nullopt;
}

/// A decimal number without sign and leading zeros, of at most `digits` digits.
std::optional<int> decimal(std::string_view text, std::size_t digits) {
  if (!is_word(text, digits, is_digit) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// `message` as a field value can carry it.
std::string presentable(std::string_view message) {
  std::string text(message.substr(0, refusal_message_max));
  for (char& c : text)
    if (c != ' ' && !is_printable(c)) c = '?';
  while (text.ends_with(' ')) text.pop_back();
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

/// RFC 6455 section 4.2.1, and our own subprotocol.
bool is_our_upgrade(const http::RequestHead& head) {
  const http::Fields& fields = head.fields;
  return head.method == "GET" && head.target == link_target && head.minor_version == 1 &&
         (head.framing == http::Framing::none ||
          (head.framing == http::Framing::length && head.content_length == 0)) &&
         fields.has_token("Upgrade", "websocket") && fields.has_token("Connection", "upgrade") &&
         only(fields, "Sec-WebSocket-Version") == "13" &&
         fields.has_token("Sec-WebSocket-Protocol", link_protocol);
}

/// The secret in `Authorization: Bearer <secret>` (RFC 6750 section 2.1).
Result<std::string> read_secret(const http::Fields& fields) {
  constexpr std::string_view scheme = "Bearer ";
  const auto value = only(fields, "Authorization");
  if (!value || !http::iequals(value->substr(0, scheme.size()), scheme)) return Error::unauthorized;
  const std::string_view secret = value->substr(scheme.size());
  if (!valid_secret(secret)) return Error::unauthorized;
  return std::string(secret);
}

Result<Direction> read_direction(const http::Fields& fields) {
  if (!fields.contains("Rockdove-Direction")) return Direction::ingress;
  const auto value = only(fields, "Rockdove-Direction");
  const auto found = value ? std::ranges::find(direction_names, *value) : direction_names.end();
  if (found == direction_names.end()) return Error::protocol;
  return static_cast<Direction>(found - direction_names.begin());
}

std::optional<Milliseconds> read_delay(const http::Fields& fields) {
  if (const auto exact = decimal(only(fields, "Rockdove-Retry-After-Ms").value_or(""), delay_digits_max))
    return std::min(Milliseconds(*exact), retry_after_max);
  if (const auto seconds = decimal(only(fields, "Retry-After").value_or(""), delay_digits_max))
    return std::min<Milliseconds>(std::chrono::seconds(*seconds), retry_after_max);
  return std::nullopt;
}

std::optional<Milliseconds> read_time(const http::Fields& fields) {
  const auto text = only(fields, "Rockdove-Time-Ms").value_or("");
  if (!is_word(text, time_digits_max, is_digit)) return std::nullopt;
  Milliseconds::rep value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return Milliseconds(value);
}

LinkRefusal read_refusal(const http::ResponseHead& head) {
  LinkRefusal refusal{head.status, std::string(foreign_answer), {}, read_delay(head.fields)};
  const auto reason = only(head.fields, "Rockdove-Reason");
  if (reason && valid_reason(*reason)) {
    refusal.reason = *reason;
    refusal.message = presentable(only(head.fields, "Rockdove-Message").value_or(""));
  } else {
    refusal.message = "HTTP " + std::to_string(head.status) +
                      " did not come from a rockdove server: check the address, and any proxy on the way";
  }
  return refusal;
}

}  // namespace

bool valid_tunnel_name(std::string_view name) noexcept {
  const auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; };
  return is_word(name, 63, allowed) && (is_lower(name.front()) || is_digit(name.front()));
}

bool valid_agent_name(std::string_view name) noexcept {
  return is_word(name, 64, is_printable);
}

bool valid_secret(std::string_view secret) noexcept {
  if (secret.size() > 256) return false;
  while (secret.ends_with('=')) secret.remove_suffix(1);
  constexpr std::string_view others = "-._~+/";
  return is_word(secret, 256, [=](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_valid(const LinkHello& hello) noexcept {
  return valid_tunnel_name(hello.tunnel) && valid_secret(hello.secret) && valid_agent_name(hello.agent) &&
         valid_instance(hello.instance) && hello.link_index >= 0 && hello.link_index < links_max &&
         valid_version(hello.version);
}

std::string write_hello(const LinkHello& hello, std::string_view host, std::string_view key) {
  assert(is_valid(hello));
  std::string out = "GET ";
  out.append(link_target).append(" HTTP/1.1\r\n");
  line(out, "Host", host);
  line(out, "Upgrade", "websocket");
  line(out, "Connection", "Upgrade");
  line(out, "Sec-WebSocket-Version", "13");
  line(out, "Sec-WebSocket-Key", key);
  line(out, "Sec-WebSocket-Protocol", link_protocol);
  line(out, "Authorization", "Bearer " + hello.secret);
  line(out, "Rockdove-Tunnel", hello.tunnel);
  line(out, "Rockdove-Agent", hello.agent);
  line(out, "Rockdove-Instance", hello.instance);
  line(out, "Rockdove-Link", std::to_string(hello.link_index));
  line(out, "Rockdove-Version", hello.version);
  line(out, "Rockdove-Direction", direction_names[static_cast<std::size_t>(hello.direction)]);
  return out += "\r\n";
}

Result<LinkHello> read_hello(const http::RequestHead& head, std::string& key) {
  const http::Fields& fields = head.fields;
  const auto received_key = only(fields, "Sec-WebSocket-Key");
  if (!is_our_upgrade(head) || !received_key || !valid_key(*received_key)) return Error::protocol;
  auto secret = read_secret(fields);
  if (!secret) return secret.error();
  const auto direction = read_direction(fields);
  if (!direction) return direction.error();
  const auto link_index = decimal(only(fields, "Rockdove-Link").value_or(""), 2);
  if (!link_index) return Error::protocol;

  const auto value = [&](std::string_view name) { return std::string(only(fields, name).value_or("")); };
  LinkHello hello{value("Rockdove-Tunnel"),
                  *std::move(secret),
                  value("Rockdove-Agent"),
                  value("Rockdove-Instance"),
                  *link_index,
                  value("Rockdove-Version"),
                  *direction};
  if (!is_valid(hello)) return Error::protocol;
  key = *received_key;
  return hello;
}

std::string write_accept(std::string_view key, std::optional<Milliseconds> time) {
  std::string out = "HTTP/1.1 101 Switching Protocols\r\n";
  line(out, "Upgrade", "websocket");
  line(out, "Connection", "Upgrade");
  line(out, "Sec-WebSocket-Accept", accept_key(key));
  line(out, "Sec-WebSocket-Protocol", link_protocol);
  line(out, "Rockdove-Version", ROCKDOVE_VERSION);
  if (time) line(out, "Rockdove-Time-Ms", std::to_string(time->count()));
  return out += "\r\n";
}

std::string write_refusal(const LinkRefusal& refusal) {
  assert(refusal.status >= 300 && refusal.status < 600 && valid_reason(refusal.reason));
  const std::string message = presentable(refusal.message);
  const boost::json::object error{{"hop", "link"}, {"cause", refusal.reason}, {"message", message}};
  const std::string body = boost::json::serialize(boost::json::object{{"error", error}}) + "\n";

  std::string out = "HTTP/1.1 " + std::to_string(refusal.status) + " ";
  out.append(http::reason_phrase(refusal.status)).append("\r\n");
  line(out, "Content-Type", "application/json");
  line(out, "Content-Length", std::to_string(body.size()));
  line(out, "Connection", refusal.status == 426 ? "close, Upgrade" : "close");
  if (refusal.status == 401) line(out, "WWW-Authenticate", "Bearer");  // RFC 9110 section 15.5.2
  if (refusal.status == 426) {                                         // RFC 6455 section 4.4
    line(out, "Upgrade", "websocket");
    line(out, "Sec-WebSocket-Version", "13");
  }
  line(out, "Rockdove-Reason", refusal.reason);
  line(out, "Rockdove-Message", message);
  if (refusal.retry_after) {
    const auto delay = std::clamp(*refusal.retry_after, Milliseconds(0), retry_after_max);
    line(out, "Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(delay).count()));
    line(out, "Rockdove-Retry-After-Ms", std::to_string(delay.count()));
  }
  line(out, "Rockdove-Version", ROCKDOVE_VERSION);
  return out.append("\r\n").append(body);
}

Result<LinkAnswer> read_answer(const http::ResponseHead& head, std::string_view key) {
  if (head.status >= 200) return LinkAnswer(read_refusal(head));
  const http::Fields& fields = head.fields;
  const auto version = only(fields, "Rockdove-Version");
  const bool fits =
      head.status == 101 && fields.has_token("Upgrade", "websocket") &&
      fields.has_token("Connection", "upgrade") && only(fields, "Sec-WebSocket-Accept") == accept_key(key) &&
      only(fields, "Sec-WebSocket-Protocol") == link_protocol &&
      !fields.contains("Sec-WebSocket-Extensions");  // we asked for none: it would change what bytes mean
  if (!fits || !version || !valid_version(*version)) return Error::protocol;
  return LinkAnswer(LinkAccept{std::string(*version), read_time(fields)});
}

}  // namespace rockdove::tunnel
