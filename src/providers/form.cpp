#include "providers/form.hpp"

#include "base/percent.hpp"

namespace rockdove::providers {

std::optional<std::vector<FormPair>> parse_form(std::string_view text) {
  std::vector<FormPair> pairs;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    if (field.empty()) continue;
    if (pairs.size() == form_pairs_max) return std::nullopt;
    const auto assign = field.find('=');
    auto name = query_decode(field.substr(0, assign));
    auto value = query_decode(assign == field.npos ? std::string_view() : field.substr(assign + 1));
    if (!name || !value) return std::nullopt;
    pairs.push_back(FormPair{std::move(*name), std::move(*value)});
  }
  return pairs;
}

const std::string* find_pair(const std::vector<FormPair>& pairs, std::string_view name) {
  for (const FormPair& pair : pairs)
    if (pair.name == name) return &pair.value;
  return nullptr;
}

}  // namespace rockdove::providers
