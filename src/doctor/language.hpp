// The languages that findings are written in.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::doctor {

enum class Language : std::size_t { english, chinese };

/// "en" or "zh".
std::optional<Language> language_named(std::string_view name);

/// The value of an environment variable, or nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// What the locale asks for: LC_ALL, LC_MESSAGES, LANG, whichever is set and not empty first (POSIX.1-2017,
/// XBD section 8.2). Anything that begins with "zh" is Chinese, all else English.
Language language_of(const Environment& environment);

}  // namespace rockdove::doctor
