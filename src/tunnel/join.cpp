#include "tunnel/join.hpp"

#include "base/host_port.hpp"
#include "net/crypto.hpp"
#include "tunnel/handshake.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cassert>
#include <optional>

namespace rockdove::tunnel {
namespace {

namespace json = boost::json;

constexpr std::string_view program = "rockdove";
constexpr std::string_view prefix = "rockdove1.";
constexpr int format_version = 1;
constexpr std::size_t checksum_digits = 8;
constexpr std::size_t addresses_max = 8;

constexpr std::string_view newer = "the join string was made by a newer rockdove: update this program";
constexpr std::string_view cut_short = "the join string is cut short: copy the whole line";
constexpr std::string_view damaged = "the join string is damaged: copy the whole line again, without changes";
constexpr std::string_view not_ours =
    "this is not a join string: it begins with \"rockdove1.\" and is printed by \"rockdove token create\"";

constexpr bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool valid_address(const std::string& address) {
  const auto parsed = parse_host_port(address);
  return parsed && parsed->port != 0 && to_string(*parsed) == address;
}

bool valid_pin(std::string_view pin) {
  const auto digest = net::base64url_decode(pin);
  return digest && digest->size() == 32;
}

std::string checksum(std::string_view text) {
  return net::hex(net::sha256(text)).substr(0, checksum_digits);
}

std::string_view mode_name(JoinInfo::Tls mode) {
  switch (mode) {
    case JoinInfo::Tls::pin: return "pin";
    case JoinInfo::Tls::ca: return "ca";
    case JoinInfo::Tls::off: return "off";
  }
  return "pin";
}

std::optional<JoinInfo::Tls> mode_named(std::string_view name) {
  for (const auto mode : {JoinInfo::Tls::pin, JoinInfo::Tls::ca, JoinInfo::Tls::off})
    if (mode_name(mode) == name) return mode;
  return std::nullopt;
}

/// The string called `key`, or nothing if it is missing or something else.
std::optional<std::string> text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<JoinInfo> info_of(const json::object& object) {
  const json::value* addresses = object.if_contains("a");
  const auto tunnel = text_of(object, "t"), secret = text_of(object, "s"), mode = text_of(object, "m");
  if (!addresses || !addresses->is_array() || !tunnel || !secret || !mode) return std::nullopt;
  const auto tls = mode_named(*mode);
  if (!tls) return std::nullopt;

  JoinInfo info{{}, *tunnel, *secret, *tls, text_of(object, "p").value_or("")};
  for (const json::value& address : addresses->get_array()) {
    if (!address.is_string()) return std::nullopt;
    info.addresses.emplace_back(address.get_string());
  }
  return info;
}

std::variant<JoinInfo, JoinError> read_payload(std::string_view encoded) {
  const JoinError unreadable{"the join string has contents that this program cannot read: make a new one"};
  const auto text = net::base64url_decode(encoded);
  if (!text) return unreadable;
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return unreadable;

  const json::value* version = value.get_object().if_contains("v");
  if (!version || !version->is_int64() || version->get_int64() < format_version) return unreadable;
  if (version->get_int64() > format_version) return JoinError{std::string(newer)};
  auto info = info_of(value.get_object());
  if (!info || !is_valid(*info)) return unreadable;
  return *std::move(info);
}

/// Why `text` does not begin as a join string does.
JoinError judge_beginning(std::string_view text) {
  if (text.empty())
    return {"the join string is empty: paste the line that \"rockdove token create\" printed"};
  if (prefix.starts_with(text)) return {std::string(cut_short)};
  if (text.starts_with(program)) {
    const std::string_view rest = text.substr(program.size());
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits > 0 && rest.substr(digits).starts_with('.')) return {std::string(newer)};
  }
  return {std::string(not_ours)};
}

}  // namespace

bool is_valid(const JoinInfo& info) {
  const bool pinned = info.tls == JoinInfo::Tls::pin;
  return !info.addresses.empty() && info.addresses.size() <= addresses_max &&
         std::ranges::all_of(info.addresses, valid_address) && valid_tunnel_name(info.tunnel) &&
         valid_secret(info.secret) && (pinned ? valid_pin(info.pin) : info.pin.empty());
}

std::string encode_join(const JoinInfo& info) {
  assert(is_valid(info));
  json::object object{{"v", format_version},
                      {"a", json::array(info.addresses.begin(), info.addresses.end())},
                      {"t", info.tunnel},
                      {"s", info.secret},
                      {"m", mode_name(info.tls)}};
  if (!info.pin.empty()) object["p"] = info.pin;
  const std::string encoded = net::base64url(json::serialize(object));
  std::string text(prefix);
  text += encoded;
  text += '.';
  text += checksum(encoded);
  return text;
}

std::variant<JoinInfo, JoinError> decode_join(std::string_view pasted) {
  const JoinError too_long{"this is too long for a join string"};
  if (pasted.size() > 4 * join_string_max) return too_long;  // room for white space
  std::string line(pasted);
  std::erase_if(line, is_space);
  std::string_view text = line;
  if (text.size() > join_string_max) return too_long;
  if (text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\''))
    text = text.substr(1, text.size() - 2);

  if (!text.starts_with(prefix)) return judge_beginning(text);
  text.remove_prefix(prefix.size());
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return JoinError{std::string(cut_short)};
  const std::string_view encoded = text.substr(0, dot), sum = text.substr(dot + 1);
  const std::string expected = checksum(encoded);
  if (sum == expected) return read_payload(encoded);
  return JoinError{std::string(expected.starts_with(sum) ? cut_short : damaged)};
}

}  // namespace rockdove::tunnel
