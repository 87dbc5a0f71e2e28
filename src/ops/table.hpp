// What the commands that print tables share: columns, sizes and ages as people read them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::ops {

/// Rows of printable text under a head, each column as wide as its widest cell.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string str() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// `text` followed by spaces up to `width` columns.
std::string padded(std::string_view text, std::size_t width);

/// "1.5 KiB"
std::string size_text(double bytes);

/// "3h12m": the two largest units are all one wants to know. Less than a second is "0s".
std::string age_text(double seconds);

}  // namespace rockdove::ops
