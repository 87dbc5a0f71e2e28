#include "doctor/language.hpp"

namespace rockdove::doctor {

std::optional<Language> language_named(std::string_view name) {
  if (name == "en") return Language::english;
  if (name == "zh") return Language::chinese;
  return std::nullopt;
}

Language language_of(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const auto value = environment(name);
    if (!value || value->empty()) continue;
    return value->starts_with("zh") ? Language::chinese : Language::english;
  }
  return Language::english;
}

}  // namespace rockdove::doctor
