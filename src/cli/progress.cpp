#include "cli/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <stdexcept>

namespace rockdove::cli {
namespace {

constexpr std::size_t bar_width = 40;
constexpr std::chrono::milliseconds redraw{100};
constexpr std::chrono::milliseconds line_every{5000};

}  // namespace

Progress::Progress(std::string doing, std::size_t total)
    : doing_(std::move(doing)),
      total_(total),
      is_terminal_(::isatty(STDERR_FILENO) != 0),
      next_(std::chrono::steady_clock::now() + (is_terminal_ ? redraw : line_every)) {}

Progress::~Progress() {
  if (has_drawn_ && is_terminal_) std::cerr << "\n";
}

void Progress::show(std::size_t done) {
  const auto now = std::chrono::steady_clock::now();
  const bool is_end = total_ != 0 && done >= total_ && is_terminal_;
  if (now < next_ && !(is_end && has_drawn_)) return;
  next_ = now + (is_terminal_ ? redraw : line_every);
  has_drawn_ = true;
  draw(done);
}

void Progress::draw(std::size_t done) const {
  std::string text = doing_ + " " + std::to_string(done);
  if (total_ != 0) text += " of " + std::to_string(total_);
  if (!is_terminal_) {
    std::cerr << text + "\n";
    return;
  }
  if (total_ != 0) {
    const std::size_t filled = std::min(done, total_) * bar_width / total_;
    text = "[" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] " + text;
  }
  std::cerr << "\r" << text << std::flush;
}

bool confirm(const std::string& question) {
  if (!::isatty(STDIN_FILENO) || !::isatty(STDERR_FILENO))
    throw std::runtime_error(question + " Nobody is here to say so: add --yes");
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes" || answer == "Y";
}

}  // namespace rockdove::cli
