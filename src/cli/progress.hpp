// How far a long command has come, and whether it may begin.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace rockdove::cli {

/// On standard error: a bar that grows if that is a terminal, else a line every few seconds.
class Progress {
 public:
  /// `doing` is a word such as "replayed". `total` 0: nobody knows how many there are.
  Progress(std::string doing, std::size_t total);
  /// Ends the bar's line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::size_t done);

 private:
  void draw(std::size_t done) const;

  const std::string doing_;
  const std::size_t total_;
  const bool is_terminal_;
  bool has_drawn_ = false;
  std::chrono::steady_clock::time_point next_;
};

/// Asks on the terminal; only "y" and "yes" are yes. Throws std::runtime_error where nobody can be asked:
/// there the command wants --yes.
bool confirm(const std::string& question);

}  // namespace rockdove::cli
