// Runs other programs for a command, and says so.
#pragma once

#include <string>
#include <vector>

namespace rockdove::cli {

/// Prints the command to standard error, runs it to its end with our standard streams, and returns its exit
/// code (128 and more: ended by a signal). The program is looked for in PATH; no shell is asked. Throws
/// std::runtime_error if it cannot be started.
int run_child(const std::vector<std::string>& command);

/// run_child() for what has to work. Throws std::runtime_error, which names the command, if the exit code is
/// not 0.
void must_run(const std::vector<std::string>& command);

}  // namespace rockdove::cli
