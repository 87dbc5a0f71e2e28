// Which events a caller of the admin API means: queries and JSON members, read without mercy. A filter that
// was understood in part would purge what nobody meant.
#pragma once

#include "inbox/store.hpp"

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rockdove::inbox {

/// What is wrong with a request, for whoever wrote it.
struct Complaint {
  std::string text;
};
/// boost::system::result asks for it: value() of one that holds a Complaint is a bug of ours.
[[noreturn]] void throw_exception_from_error(const Complaint& complaint, const boost::source_location& where);

template <class T>
using Read = boost::system::result<T, Complaint>;

using Pair = std::pair<std::string, std::string>;

/// "a=1&b=2" with its escapes undone; each key once, each with a value.
Read<std::vector<Pair>> parse_query(std::string_view query);

/// Takes one of tunnel, route, status, since, until, text into `filter`; false for other keys. An empty value
/// is a mistake, never "no restriction". `since` is included, `until` is not; each is an event's id or a time
/// (RFC 3339).
Read<bool> add_to_filter(Filter& filter, std::string_view key, std::string_view value);
inline constexpr std::string_view filter_keys = "tunnel, route, status, since, until, text";

/// True if every event fits.
bool restricts_nothing(const Filter& filter);

/// The page that `query` asks for: the filter's keys, limit, cursor, order.
Read<PageRequest> parse_page_request(std::string_view query);

}  // namespace rockdove::inbox
