// Text with holes: what a provider signs, what an answer says, what tells one event from another.
#pragma once

#include "providers/place.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rockdove::providers {

struct Part {
  enum class Kind {
    literal,     ///< `text`
    place,       ///< what stands at `place`
    body,        ///< the body's bytes as they came
    url,         ///< the public URL, as the caller wrote it
    secret,      ///< the configured secret, as it is
    timestamp,   ///< what the check's `timestamp` finds
    nonce,       ///< what its `nonce` finds
    id,          ///< what its `id` finds
    form,        ///< the form's pairs, sorted, each name directly followed by its value
    form_pairs,  ///< the form's pairs, sorted, decoded, as name=value joined by &
    opened,      ///< the whole decrypted text, or the body if it came plain
  };
  Kind kind = Kind::literal;
  std::string text;
  Place place;
  std::vector<std::string> except;  ///< of form_pairs: names left out
  bool quoted = false;              ///< written as a JSON string, quotes included

  bool operator==(const Part&) const = default;
};

using Template = std::vector<Part>;

/// What a template is for decides which holes it may have.
enum class Use {
  signed_text,  ///< all but ${opened} and ${quoted …}
  shown_text,   ///< leaves the program: literals, places and ${opened}
};

struct TemplateError {
  std::string message;  ///< what is wrong and what is allowed
};

/// Holes are written ${body}, ${url}, ${secret}, ${timestamp}, ${nonce}, ${id}, ${form}, ${form_pairs},
/// ${form_pairs except a,b}, ${opened}, ${PLACE}; ${quoted PLACE} and ${quoted opened} make a JSON string.
/// Everything else stands for itself.
std::variant<Template, TemplateError> parse_template(std::string_view text, Use use);
/// The text that parse_template() reads.
std::string to_text(const Template& parts);

}  // namespace rockdove::providers
