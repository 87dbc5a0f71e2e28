// Where findings go: one line each for people as they come, or one JSON object at the end.
#pragma once

#include "doctor/finding.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace rockdove::doctor {

class Report {
 public:
  struct Options {
    std::string role;
    Language language = Language::english;
    bool json = false;
    bool is_terminal = false;  ///< of `progress`: what is being done may be shown and wiped out again
  };

  /// Both must outlive the report.
  Report(Options options, std::ostream& out, std::ostream& progress);

  void add(Id id, std::vector<std::string> values = {}, std::optional<std::chrono::microseconds> took = {});
  /// What takes a while from now on, for a terminal.
  void doing(Id id, std::vector<std::string> values = {});
  /// The same for what takes minutes: also where no terminal is.
  void doing_long(Id id, std::vector<std::string> values = {});

  /// Writes the summary, or all of the JSON. Returns the exit code: 1 if something failed, else 0.
  int finish();

  const std::vector<Finding>& findings() const { return findings_; }

 private:
  std::size_t count(State state) const;
  void write_json(const std::string& summary);
  void wipe();

  const Options options_;
  std::ostream& out_;
  std::ostream& progress_;
  std::vector<Finding> findings_;
  bool is_dirty_ = false;  // a line of progress stands on the terminal
};

}  // namespace rockdove::doctor
