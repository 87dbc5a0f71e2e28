// Keys found in requests: what makes two of them the same event, or of one order.
#pragma once

#include "http/fields.hpp"
#include "inbox/route_options.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::inbox {

/// What the rule finds, as text: a number as it is written, a text longer than key_bytes_max as its digest.
/// Nothing if the field is missing or empty, the body is empty or not JSON, or there is nothing at the place
/// but "", true, false, null, an object or an array: what many requests have in common tells none from
/// another. Foreign bytes: a JSON body may nest at most 32 deep. Of members of one name the last counts.
std::optional<std::string> find_key(const KeyRule& rule, const http::Fields& fields, std::string_view body,
                                    const EventFacts& facts = {});
inline constexpr std::size_t key_bytes_max = 200;

/// The key of the first rule that finds one, made to differ between rules; empty if none does.
std::string dedupe_key(const std::vector<KeyRule>& rules, const http::Fields& fields, std::string_view body,
                       const EventFacts& facts = {});

/// True for "" and for texts that begin with "/" and have "~" only in "~0" and "~1" (RFC 6901 section 3).
bool is_json_pointer(std::string_view text) noexcept;

}  // namespace rockdove::inbox
