// Everything the doctor looks at on the agent's side, in the order in which things depend on each other.
#pragma once

#include "doctor/report.hpp"

#include <filesystem>

namespace rockdove::doctor {

struct AgentOptions {
  std::filesystem::path config;  ///< empty: the defaults
  std::chrono::seconds idle{0};  ///< the longest silence to try; 0: none
};

/// Runs a loop of its own until all checks are done. Safe beside a running agent: it keeps its links.
/// `report` gets what is found, and is not finished.
void examine_agent(Report& report, const AgentOptions& options);

}  // namespace rockdove::doctor
