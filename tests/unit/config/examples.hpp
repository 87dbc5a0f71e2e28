// The example configurations under config/, for the tests that keep them true.
#pragma once

#include "base/files.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::config {

inline std::string example_file(const std::string& name) {
  const auto tests = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  return read_file(tests.parent_path() / "config" / name);
}

/// The keys that a table may have, as the error for a wrong one lists them.
inline std::vector<std::string> known_keys(const std::string& table,
                                           const std::function<std::string(const std::string&)>& error_of) {
  constexpr std::string_view mark = "known here: ";
  const std::string message = error_of(table + "\nname = \"x\"\nqqqqqqqqqqqq = 1\n");
  // Tables without a name refuse that key first.
  const std::string other = error_of(table + "\nqqqqqqqqqqqq = 1\n");
  const std::string& text = message.find(mark) != std::string::npos ? message : other;
  std::vector<std::string> keys;
  std::string rest = text.substr(std::min(text.find(mark), text.size() - mark.size()) + mark.size());
  for (std::size_t comma; !rest.empty(); rest.erase(0, comma == rest.npos ? comma : comma + 2)) {
    comma = rest.find(", ");
    keys.push_back(rest.substr(0, comma));
  }
  return keys;
}

/// True if `key` is set, or shown in a comment without a space after '#', within a `table`.
inline bool shows_key(const std::string& example, const std::string& table, const std::string& key) {
  for (const std::string& mark : {"\n" + table, "\n#" + table})
    for (auto start = example.find(mark); start != example.npos; start = example.find(mark, start + 1)) {
      const auto end = example.find("\n\n", start);
      const std::string part = example.substr(start, end == example.npos ? end : end - start);
      if (part.find("\n" + key + " = ") != part.npos || part.find("\n#" + key + " = ") != part.npos)
        return true;
    }
  return false;
}

/// The example with its commented settings in force: '#' directly before a key or '['.
inline std::string uncommented(std::string text) {
  for (std::size_t at = text.find("\n#"); at != text.npos; at = text.find("\n#", at + 1))
    if (at + 2 < text.size() && text[at + 2] != ' ' && text[at + 2] != '\n') text.erase(at + 1, 1);
  return text;
}

}  // namespace rockdove::config
