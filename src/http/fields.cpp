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

/// Size, first, middle and last letter; 0x20 makes both cases of a letter one.
std::uint32_t Fields::hint_of(std::string_view name) noexcept {
  if (name.empty()) return 0;
  const auto letter = [&](std::size_t at) { return static_cast<std::uint32_t>(name[at] | 0x20) & 0xff; };
  return static_cast<std::uint32_t>(name.size()) << 24 | letter(0) << 16 | letter(name.size() / 2) << 8 |
         letter(name.size() - 1);
}

bool Fields::is_named(const Slot& slot, std::uint32_t hint, std::string_view name) const noexcept {
  return slot.hint == hint && iequals({text_.data() + slot.name_at, slot.name_size}, name);
}

std::size_t Fields::find(std::string_view name, std::size_t first) const noexcept {
  const std::uint32_t hint = hint_of(name);
  while (first < slots_.size() && !is_named(slots_[first], hint, name)) ++first;
  return first;
}

void Fields::add(std::string_view name, std::string_view value) {
  const auto at = static_cast<std::uint32_t>(text_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  text_.append(name).append(value);
  slots_.push_back({hint_of(name), at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

void Fields::add_lowercase(std::string_view name, std::string_view value) {
  add(name, value);
  const auto first = text_.begin() + slots_.back().name_at;
  std::transform(first, first + static_cast<std::ptrdiff_t>(name.size()), first, lower);
}

std::size_t Fields::remove(std::string_view name) {
  const std::uint32_t hint = hint_of(name);
  return std::erase_if(slots_, [&](const Slot& slot) { return is_named(slot, hint, name); });
}

void Fields::set(std::string_view name, std::string_view value) {
  const std::size_t at = find(name, 0);
  if (at == slots_.size()) return add(name, value);
  slots_[at].value_at = static_cast<std::uint32_t>(text_.size());
  slots_[at].value_size = static_cast<std::uint32_t>(value.size());
  text_.append(value);
  const auto is_other = [&](const Slot& slot) { return is_named(slot, slots_[at].hint, name); };
  const auto rest = slots_.begin() + static_cast<std::ptrdiff_t>(at) + 1;
  slots_.erase(std::remove_if(rest, slots_.end(), is_other), slots_.end());
}

std::optional<std::string_view> Fields::get(std::string_view name) const {
  const std::size_t found = find(name, 0);
  if (found == slots_.size()) return std::nullopt;
  return at(found).value;
}

std::size_t Fields::count(std::string_view name) const {
  std::size_t found = 0;
  for (std::size_t i = find(name, 0); i < slots_.size(); i = find(name, i + 1)) ++found;
  return found;
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
  for (std::size_t i = find(name, 0); i < slots_.size(); i = find(name, i + 1)) {
    std::string_view rest = at(i).value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (iequals(trim(rest.substr(0, comma)), token)) return true;
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
  return false;
}

}  // namespace rockdove::http
