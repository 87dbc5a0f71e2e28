// What can be wrong with a server in a way that somebody wants to be told of, as plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::ops {

enum class AlertKind {
  store,         ///< events cannot be stored
  agent_gone,    ///< a tunnel has no agent, or one agent of several is missed
  backlog_age,   ///< events wait for their delivery for too long
  dead_letters,  ///< events were given up
  disk_free,     ///< little space is left where the data directory is
  certificate,   ///< a certificate ends soon, or has ended
};
inline constexpr std::array alert_kinds{AlertKind::store,       AlertKind::agent_gone,
                                        AlertKind::backlog_age, AlertKind::dead_letters,
                                        AlertKind::disk_free,   AlertKind::certificate};

/// The enumerator's name: stable, in configurations, messages and metrics.
std::string_view alert_kind_name(AlertKind kind) noexcept;
std::optional<AlertKind> alert_kind_named(std::string_view name) noexcept;

/// Something that is wrong just now.
struct Condition {
  AlertKind kind = AlertKind::store;
  /// The tunnel, "TUNNEL/AGENT", the route or the port that it is about; "": the server as a whole.
  std::string subject{};
  /// backlog_age: seconds; dead_letters: how many; disk_free: bytes left; certificate: whole days left,
  /// negative once it has ended; agent_gone: 1 if the agent is not waited for any longer. Else 0.
  std::int64_t amount = 0;
  std::string detail{};  ///< store: why, in the words of /health

  bool operator==(const Condition&) const = default;
};

}  // namespace rockdove::ops
