#include "http/fields.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstring>

namespace rockdove::http {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Whether the bytes of two words are the same but for the case of letters.
template <class Word>
bool iequals_word(const char* a, const char* b) noexcept {
  constexpr Word ones = static_cast<Word>(0x0101010101010101U);
  Word left, right;
  std::memcpy(&left, a, sizeof left);
  std::memcpy(&right, b, sizeof right);
  const Word folded = left | 0x20 * ones, low = folded & 0x7f * ones;
  // The top bit of each byte: it is ASCII, at least 'a', and not above 'z'.
  const Word from_a = low + (0x80 - 'a') * ones, past_z = low + (0x7f - 'z') * ones;
  const Word letters = ~folded & (from_a ^ past_z) & 0x80 * ones;
  return ((left ^ right) & ~(letters >> 2)) == 0;
}

/// With the last word from the end: it may overlap the one before.
template <class Word>
bool iequals_words(std::string_view a, std::string_view b) noexcept {
  const std::size_t last = a.size() - sizeof(Word);
  for (std::size_t i = 0; i < last; i += sizeof(Word))
    if (!iequals_word<Word>(a.data() + i, b.data() + i)) return false;
  return iequals_word<Word>(a.data() + last, b.data() + last);
}

}  // namespace

bool detail::iequals_same_size(std::string_view a, std::string_view b) noexcept {
  if (a.size() >= sizeof(std::uint64_t)) return iequals_words<std::uint64_t>(a, b);
  if (a.size() >= sizeof(std::uint32_t)) return iequals_words<std::uint32_t>(a, b);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

void Fields::reserve(std::size_t fields, std::size_t bytes) {
  slots_.reserve(fields);
  text_.reserve(bytes);
}

void Fields::clear() {
  slots_.clear();
  text_.clear();
}

bool Fields::is_named(const Slot& slot, const Sought& sought) const noexcept {
  return slot.hint == sought.hint && iequals({text_.data() + slot.name_at, slot.name_size}, sought.name);
}

std::size_t Fields::find(const Sought& sought, std::size_t first) const noexcept {
  while (first < slots_.size() && !is_named(slots_[first], sought)) ++first;
  return first;
}

void Fields::add(std::string_view name, std::string_view value) {
  const std::uint32_t at = append(name, value);
  const auto name_size = static_cast<std::uint32_t>(name.size());
  slots_.push_back({hint_of(name), at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

std::uint32_t Fields::append(std::string_view name, std::string_view value) {
  const std::size_t at = text_.size();
  text_.resize(at + name.size() + value.size());
  name.copy(text_.data() + at, name.size());
  value.copy(text_.data() + at + name.size(), value.size());
  return static_cast<std::uint32_t>(at);
}

void Fields::add_lowercase(std::string_view name, std::string_view value) {
  add(name, value);
  char* const first = text_.data() + slots_.back().name_at;
  std::transform(first, first + name.size(), first, lower);
}

std::size_t Fields::remove(std::string_view name) {
  const Sought sought{name, hint_of(name)};
  return std::erase_if(slots_, [&](const Slot& slot) { return is_named(slot, sought); });
}

void Fields::set(std::string_view name, std::string_view value) {
  const Sought sought{name, hint_of(name)};
  const std::size_t at = find(sought, 0);
  if (at == slots_.size()) return add(name, value);
  slots_[at].value_at = append({}, value);
  slots_[at].value_size = static_cast<std::uint32_t>(value.size());
  const auto rest = slots_.begin() + static_cast<std::ptrdiff_t>(at) + 1;
  const auto is_other = [&](const Slot& slot) { return is_named(slot, sought); };
  slots_.erase(std::remove_if(rest, slots_.end(), is_other), slots_.end());
}

std::size_t Fields::count(std::string_view name) const {
  const Sought sought{name, hint_of(name)};
  std::size_t found = 0;
  for (std::size_t i = find(sought, 0); i < slots_.size(); i = find(sought, i + 1)) ++found;
  return found;
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
  const Sought sought{name, hint_of(name)};
  for (std::size_t i = find(sought, 0); i < slots_.size(); i = find(sought, i + 1)) {
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
