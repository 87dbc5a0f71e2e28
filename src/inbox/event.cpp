#include "inbox/event.hpp"

#include <array>

namespace rockdove::inbox {
namespace {

constexpr std::string_view prefix = "evt_";
constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's: no i, l, o, u
constexpr int digit_count = 13;                                          // 65 bits: the first digit is 0 to f
constexpr int sequence_bits = 20;
constexpr std::array<std::string_view, state_count> names{"waiting", "queued", "done", "dead", "quarantined"};

}  // namespace

std::string format_event_id(EventId id) {
  std::string text(prefix.size() + digit_count, '0');
  text.replace(0, prefix.size(), prefix);
  for (std::size_t at = text.size(); at > prefix.size(); id >>= 5) text[--at] = digits[id & 31];
  return text;
}

Result<EventId> parse_event_id(std::string_view text) {
  if (!text.starts_with(prefix) || text.size() != prefix.size() + digit_count) return Error::malformed;
  text.remove_prefix(prefix.size());
  EventId id = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto digit = digits.find(text[at]);
    if (digit == std::string_view::npos || (at == 0 && digit > 15)) return Error::malformed;
    id = id << 5 | digit;
  }
  return id;
}

EventId first_id_at(WallTime time) {
  const auto milliseconds = time.time_since_epoch().count();
  return milliseconds <= 0 ? 0 : static_cast<EventId>(milliseconds) << sequence_bits;
}

std::string_view state_name(State state) noexcept {
  const auto at = static_cast<std::size_t>(state);
  return at < names.size() ? names[at] : "";
}

std::optional<State> state_named(std::string_view name) noexcept {
  for (std::size_t at = 0; at < names.size(); ++at)
    if (names[at] == name) return static_cast<State>(at);
  return std::nullopt;
}

}  // namespace rockdove::inbox
