// What an agent tells the server of itself while a link lives: the content of a note (docs/protocol.md,
// "Notes").
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rockdove::tunnel {

/// The upstream for routes that name none; an agent without one of this name takes its first.
inline constexpr std::string_view default_upstream = "default";

/// How one of the agent's upstreams is.
struct UpstreamReport {
  std::string name;    ///< as routes call it
  std::string url;     ///< where the agent looks for it
  bool up = true;      ///< the last check succeeded
  std::string detail;  ///< why not, in a few words

  bool operator==(const UpstreamReport&) const = default;
};

/// JSON, at most 16 KiB.
std::string encode_report(const std::vector<UpstreamReport>& upstreams);
/// Error::protocol for what is not such a note; unknown keys are left aside, at most 64 upstreams are read.
Result<std::vector<UpstreamReport>> decode_report(std::string_view text);

}  // namespace rockdove::tunnel
