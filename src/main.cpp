// rockdove: one binary, one command at a time.
#include "cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

/// jemalloc's options, where the program is linked with it: how many blocks of a size a thread keeps at hand.
/// Its own 20 of the larger and 200 of the small ones are fewer than some dozens of requests take at a time,
/// and the rest come and go on a slower way.
extern "C" const char* malloc_conf;
const char* malloc_conf = "tcache_nslots_small_min:128,tcache_nslots_small_max:512,lg_tcache_nslots_mul:4";

int main(int argc, char** argv) {
  namespace cli = rockdove::cli;
  CLI::App app{"rockdove brings webhooks home: a public server, an agent behind NAT, a link between them."};
  app.name("rockdove");
  app.require_subcommand(0, 1);  // one; none is told apart from a wrong one below
  app.set_version_flag("--version", "rockdove " ROCKDOVE_VERSION);
  app.footer(
      "Example:\n"
      "  rockdove server                                     on the machine with the public address\n"
      "  rockdove token create feishu-bot                    there too; prints the join string\n"
      "  rockdove join -                                     behind NAT; paste the join string\n"
      "  rockdove agent --upstream http://127.0.0.1:5000     there too\n\n"
      "Exit code: 0 ok, 1 failed, 2 wrong usage.");
  cli::Run run;
  for (const auto add : {cli::add_roles, cli::add_join, cli::add_token, cli::add_status, cli::add_log_level,
                         cli::add_events, cli::add_egress, cli::add_alerts, cli::add_providers,
                         cli::add_config, cli::add_doctor, cli::add_service, cli::add_version})
    add(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;  // --help and --version end here too
  }
  if (!run) {
    const auto groups = app.get_subcommands();
    std::cerr << (groups.empty() ? app.help() : groups.front()->help());
    return 2;
  }
  try {
    return run();
  } catch (const CLI::ParseError& error) {  // an argument whose meaning is known only now
    app.exit(error);
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "rockdove: " << error.what() << "\n";
    return 1;
  }
}
