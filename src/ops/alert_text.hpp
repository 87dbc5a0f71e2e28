// What alerts say to people, in their language.
#pragma once

#include "ops/alerts.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace rockdove::ops {

enum class Language { en, zh };

/// "tunnel bot: no agent is connected". One line without control characters.
std::string condition_text(const Condition& condition, Language language);
/// The same with what became of it: "ALERT: …, since 2026-11-23 12:00:00".
std::string notice_text(const Notice& notice, Language language);
/// Several of them, a line each, of which the first 20 are written out; `per_hour` is the limit of messages
/// that they have come up against.
std::string summary_text(std::span<const Notice> notices, std::size_t per_hour, Language language);
std::string test_text(Language language);

}  // namespace rockdove::ops
