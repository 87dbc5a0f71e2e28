// The header or trailer fields of one message, in the order they came, duplicates included.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rockdove::http {

namespace detail {

bool iequals_same_size(std::string_view a, std::string_view b) noexcept;

/// Leaves new bytes of a vector as they are: they are written next.
template <class T>
struct UnsetAllocator : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = UnsetAllocator<U>;
  };
  template <class U>
  void construct(U*) noexcept {}
  template <class U, class... Values>
  void construct(U* at, Values&&... values) {
    std::construct_at(at, std::forward<Values>(values)...);
  }
};

}  // namespace detail

/// ASCII case-insensitive equality, as field names compare (RFC 9110 section 5.1). Most names differ in size.
inline bool iequals(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && detail::iequals_same_size(a, b);
}

/// An ordered multimap whose names and values share one block: two allocations a message instead
/// of two a field. Values are kept byte for byte. Views stay valid until the next add() or set().
class Fields {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  class Iterator {
   public:
    Iterator(const Fields& fields, std::size_t index) : fields_(&fields), index_(index) {}
    Field operator*() const { return fields_->at(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Fields* fields_;
    std::size_t index_;
  };

  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, slots_.size()}; }
  std::size_t size() const { return slots_.size(); }
  bool empty() const { return slots_.empty(); }
  /// Bytes that all names and values take, those of removed fields included.
  std::size_t bytes() const { return text_.size(); }
  Field at(std::size_t index) const { return field_of(slots_[index]); }

  void reserve(std::size_t fields, std::size_t bytes);
  void clear();
  /// Appends a field at the end. Neither view may point into this object.
  void add(std::string_view name, std::string_view value);
  /// Appends a field whose name is stored in lower case (the form of HTTP/2).
  void add_lowercase(std::string_view name, std::string_view value);
  /// Removes every field called `name`; the others keep their order. Returns how many went.
  std::size_t remove(std::string_view name);
  /// Removes every field of which `is_unwanted(field)` is true; the others keep their order.
  template <class Predicate>
  void remove_if(Predicate is_unwanted) {
    std::erase_if(slots_, [&](const Slot& slot) { return is_unwanted(field_of(slot)); });
  }
  /// Replaces the value of the first field called `name` in its place and removes the others; adds
  /// the field at the end if there is none.
  void set(std::string_view name, std::string_view value);

  /// The value of the first field called `name`.
  std::optional<std::string_view> get(std::string_view name) const {
    const std::size_t found = find({name, hint_of(name)}, 0);
    if (found == slots_.size()) return std::nullopt;
    return at(found).value;
  }
  bool contains(std::string_view name) const { return find({name, hint_of(name)}, 0) < slots_.size(); }
  std::size_t count(std::string_view name) const;
  /// True if any field called `name` lists `token` among its comma-separated values, in any case.
  bool has_token(std::string_view name, std::string_view token) const;

 private:
  /// `hint` differs for almost all names that differ, so that a search seldom looks at the text.
  struct Slot {
    std::uint32_t hint, name_at, name_size, value_at, value_size;
  };

  struct Sought {
    std::string_view name;
    std::uint32_t hint;
  };

  /// Size, first, middle and last letter; 0x20 makes both cases of a letter one. Of a literal the compiler
  /// knows it.
  static constexpr std::uint32_t hint_of(std::string_view name) noexcept {
    if (name.empty()) return 0;
    return static_cast<std::uint32_t>(name.size()) << 24 | folded(name.front()) << 16 |
           folded(name[name.size() / 2]) << 8 | folded(name.back());
  }
  static constexpr std::uint32_t folded(char letter) noexcept {
    return static_cast<unsigned char>(letter | 0x20);
  }
  Field field_of(const Slot& slot) const noexcept {
    const char* const text = text_.data();
    return {{text + slot.name_at, slot.name_size}, {text + slot.value_at, slot.value_size}};
  }
  bool is_named(const Slot& slot, const Sought& sought) const noexcept;
  /// The first field of that name from `first` on; size() if there is none.
  std::size_t find(const Sought& sought, std::size_t first) const noexcept;

  /// Returns where it begins.
  std::uint32_t append(std::string_view name, std::string_view value);

  std::vector<char, detail::UnsetAllocator<char>> text_;
  std::vector<Slot> slots_;
};

}  // namespace rockdove::http
