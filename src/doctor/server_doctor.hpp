// Everything the doctor looks at on the server's side.
#pragma once

#include "doctor/report.hpp"

#include <filesystem>

namespace rockdove::doctor {

struct ServerOptions {
  std::filesystem::path config;  ///< empty: the defaults
  std::filesystem::path data;    ///< in place of the configuration's, unless empty
};

/// Runs a loop of its own until all checks are done. Safe beside a running server: what it writes is a file
/// of its own in the data directory, which it removes. `report` gets what is found, and is not finished.
void examine_server(Report& report, const ServerOptions& options);

}  // namespace rockdove::doctor
