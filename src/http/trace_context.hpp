// Which trace a request belongs to: W3C Trace Context (https://www.w3.org/TR/trace-context/).
#pragma once

#include "http/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rockdove::http {

/// The trace-id, 32 lower-case hex digits, within a valid traceparent (section 3.2); a view into it. Nothing
/// for one that is not valid to the letter: digits in upper case, an id of zeros, version ff, more than 55
/// characters of version 00. What a higher version has behind these 55 is not looked at.
std::optional<std::string_view> trace_id_of(std::string_view traceparent) noexcept;

/// The trace-id of a message that has one valid traceparent; a view into `fields`.
std::optional<std::string_view> trace_id_of(const Fields& fields) noexcept;

/// True for 16 to 32 lower-case hex digits, the last 16 of them not all zeros: an id that can be a trace's.
bool is_traceable(std::string_view request_id) noexcept;

/// The trace-id of a request that came without: its own id with zeros before it, as the specification wants
/// it of those whose ids are shorter (section 3.2.2.3 of level 1). It must be traceable.
std::string trace_id_for(std::string_view request_id);

/// "00-<trace-id>-<parent-id>-01" of such an id; the parent-id is its last 16 digits. It says "sampled": the
/// request lines of our logs are what is known of the trace here, and a tracer of the upstream decides as it
/// would have without us.
std::string make_traceparent(std::string_view request_id);

/// Sees to it that a request belongs to a trace, and says to which; "" if to none.
///
/// A valid traceparent stays byte for byte, and its tracestate with it, whatever that holds: the
/// specification wants a new parent-id from who reports spans, which this program does not, so that one of
/// ours would be a parent that no tracer has ever heard of (section 3.4: who does not change the first must
/// not change the second). With `make`, one that is invalid or there twice goes, a tracestate that belonged
/// to it too (section 4.2), and add_made_fields() makes another; else those stay as they came.
std::string join_trace(Request& request, bool make);

}  // namespace rockdove::http
