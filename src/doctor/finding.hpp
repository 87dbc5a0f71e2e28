// What a check has found: a row of the tables of texts, with values.
#pragma once

#include "doctor/language.hpp"
#include "doctor/texts_agent.hpp"
#include "doctor/texts_machine.hpp"
#include "doctor/texts_server.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rockdove::doctor {

/// All there are.
inline constexpr std::span<const Row> text_tables[] = {machine_texts, agent_texts, server_texts};

/// Names a row; one that does not exist does not compile.
class Id {
 public:
  consteval Id(const char* id) : row_(find(id)) {}  // NOLINT(google-explicit-constructor): it reads as text
  const Row& row() const { return *row_; }

 private:
  static consteval const Row* find(std::string_view id) {
    for (const auto& table : text_tables)
      for (const Row& row : table)
        if (row.id == id) return &row;
    throw "there is no such text";
  }
  const Row* row_;
};

struct Finding {
  Id id;
  std::vector<std::string> values;  ///< may come from outside: they are made printable when they are shown
  std::optional<std::chrono::microseconds> took;

  State state() const { return id.row().state; }
};

std::string_view state_name(State state);

std::string text(const Finding& finding, Language language);
/// Empty if there is nothing to do.
std::string advice(const Finding& finding, Language language);

/// 850 µs is "0.9 ms", 12.3 ms is "12 ms".
std::string in_milliseconds(std::chrono::microseconds time);

}  // namespace rockdove::doctor
