// Where something stands in a request: a header field, a parameter, a member of the body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rockdove::providers {

struct Place {
  enum class From {
    method,     ///< the request's method
    header,     ///< `name`: a field; the first of that name counts
    query,      ///< `name`: a parameter of the URL, decoded; the first of that name counts
    form,       ///< `name`: the same in a body of form parameters
    json,       ///< `name`: a JSON pointer (RFC 6901) into the body as it came
    xml,        ///< `name`: "/A" or "/A/B", elements below the root of the body as it came
    opened,     ///< `name`: the same in JSON or XML, after decryption if the body came encrypted
    encrypted,  ///< the ciphertext, where the scheme's envelope has it
  };
  From from = From::header;
  std::string name;

  bool operator==(const Place&) const = default;
};

/// "header:NAME", "query:NAME", "form:NAME", "json:/POINTER", "xml:/NAME", "opened:/POINTER", "encrypted" or
/// "method", and nothing else.
std::optional<Place> parse_place(std::string_view text);
/// The text that parse_place() reads.
std::string to_text(const Place& place);
/// What parse_place() takes, for error messages.
inline constexpr std::string_view place_forms =
    "\"header:NAME\", \"query:NAME\", \"form:NAME\", \"json:/POINTER\", \"xml:/NAME\", "
    "\"opened:/POINTER\", \"encrypted\" or \"method\"";

/// What a request has to be like: something stands at a place, or does not, or is a given text.
struct Condition {
  Place place;
  bool negated = false;
  std::optional<std::string> value;  ///< nothing: whatever it is, but null

  bool operator==(const Condition&) const = default;
};

/// "PLACE" (is there), "!PLACE" (is not), "PLACE = VALUE", "PLACE != VALUE".
std::optional<Condition> parse_condition(std::string_view text);
std::string to_text(const Condition& condition);

}  // namespace rockdove::providers
