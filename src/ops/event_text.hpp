// Events of the inbox as text for a terminal, from the JSON of the admin API. What came from callers and
// upstreams is made harmless: no control character of theirs is in the result.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace rockdove::ops {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// One line an event, under a head. What the JSON lacks is shown as "-".
std::string events_table(const boost::json::array& events, WallTime now);

/// The head and the lines of a list that grows: their columns have fixed widths.
std::string tail_head();
std::string tail_line(const boost::json::value& event);

/// All of one event: the answer to GET /api/v1/events/ID.
std::string event_text(const boost::json::value& detail, WallTime now);

/// "1240 events (1200 dead, 40 waiting)" of so many in each state.
std::string count_text(const boost::json::array& events);

/// A body as a person wants to read it: JSON is indented, other text stays, control characters are escaped.
/// The text of numbers and strings is not changed.
std::string pretty_body(std::string_view text);

}  // namespace rockdove::ops
