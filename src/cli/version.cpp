// rockdove version
#include "cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace rockdove::cli {

void add_version(CLI::App& app, Run& run) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->add_flag("--json", *json, "Print JSON");
  command->footer("Example:\n  rockdove version");
  command->callback([&run, json] {
    run = [json] {
      std::cout << (*json ? "{\"version\":\"" ROCKDOVE_VERSION "\"}\n" : "rockdove " ROCKDOVE_VERSION "\n");
      return 0;
    };
  });
}

}  // namespace rockdove::cli
