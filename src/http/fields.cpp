#include "http/fields.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace rockdove::http {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

bool detail::iequals_same_size(std::string_view a, std::string_view b) noexcept {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

Fields::Field Fields::at(std::size_t index) const {
  const Slot& slot = slots_[index];
  const std::string_view text = text_;
  return {text.substr(slot.name_at, slot.name_size), text.substr(slot.value_at, slot.value_size)};
}

void Fields::reserve(std::size_t fields, std::size_t bytes) {
  slots_.reserve(fields);
  text_.reserve(bytes);
}

void Fields::clear() {
  slots_.clear();
  text_.clear();
}

void Fields::add(std::string_view name, std::string_view value) {
  const auto at = static_cast<std::uint32_t>(text_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  text_.append(name).append(value);
  slots_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

void Fields::add_lowercase(std::string_view name, std::string_view value) {
  add(name, value);
  const auto first = text_.begin() + slots_.back().name_at;
  std::transform(first, first + static_cast<std::ptrdiff_t>(name.size()), first, lower);
}

std::size_t Fields::remove(std::string_view name) {
  return std::erase_if(slots_, [&](const Slot& slot) {
    return slot.name_size == name.size() && iequals({text_.data() + slot.name_at, slot.name_size}, name);
  });
}

void Fields::set(std::string_view name, std::string_view value) {
  const auto is_named = [&](const Slot& slot) {
    return iequals(std::string_view(text_).substr(slot.name_at, slot.name_size), name);
  };
  const auto first = std::find_if(slots_.begin(), slots_.end(), is_named);
  if (first == slots_.end()) return add(name, value);
  first->value_at = static_cast<std::uint32_t>(text_.size());
  first->value_size = static_cast<std::uint32_t>(value.size());
  text_.append(value);
  slots_.erase(std::remove_if(first + 1, slots_.end(), is_named), slots_.end());
}

std::optional<std::string_view> Fields::get(std::string_view name) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].name_size != name.size()) continue;
    const Field field = at(i);
    if (iequals(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Fields::count(std::string_view name) const {
  std::size_t found = 0;
  for (const Field field : *this) found += iequals(field.name, name);
  return found;
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
  for (const Field field : *this) {
    if (!iequals(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (iequals(trim(rest.substr(0, comma)), token)) return true;
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
  return false;
}

}  // namespace rockdove::http
