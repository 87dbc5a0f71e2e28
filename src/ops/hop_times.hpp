// Where the time of an answer went: at the server, on the link, at the agent and its upstream.
#pragma once

#include "base/histogram.hpp"
#include "http/message.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace rockdove::ops {

/// Of one tunnel's requests that a link has answered, deliveries of events among them.
struct HopTimes {
  Histogram edge;      ///< from a live request's head until it was on a link: its body, proof, places, lines
  Histogram link;      ///< the rest of the way: there and back
  Histogram upstream;  ///< as the agent measures it; a body that is still on its way in counts here

  /// An answer whose request went down a link at `asked`. `took` is what the agent says, and never believed
  /// to be more than what has passed here. `record`, if there is one, gets the times too; one without a
  /// `started` has no time at the edge.
  void add(http::Record* record, net::Clock::time_point asked, net::Duration took) {
    const auto now = net::Clock::now();
    const net::Duration at_agent = std::min<net::Duration>(took, now - asked);
    const net::Duration on_link = now - asked - at_agent;
    if (at_agent > net::Duration::zero()) {  // an agent that does not say would make all of it the link's
      link.add(microseconds(on_link));
      upstream.add(microseconds(at_agent));
    }
    if (!record) return;
    record->link = on_link;
    record->upstream = at_agent;
    if (record->started == net::Clock::time_point{}) return;
    record->edge = asked - record->started;
    edge.add(microseconds(record->edge));
  }

 private:
  static std::uint64_t microseconds(net::Duration time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
  }
};

}  // namespace rockdove::ops
