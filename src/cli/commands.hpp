// The commands of the command line. Each function adds one group of them to `app`; the command that the user
// chose leaves what to do in `run`, which returns the exit code: 0 ok, 1 failed. Wrong usage is 2.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace rockdove::cli {

using Run = std::function<int()>;

void add_roles(CLI::App& app, Run& run);      ///< server, agent
void add_join(CLI::App& app, Run& run);       ///< join
void add_token(CLI::App& app, Run& run);      ///< token create | list | revoke
void add_status(CLI::App& app, Run& run);     ///< status, stats
void add_log_level(CLI::App& app, Run& run);  ///< log-level
void add_events(CLI::App& app, Run& run);     ///< events list | show | replay | tail | purge | pause | resume
void add_egress(CLI::App& app, Run& run);     ///< egress ip | check
void add_alerts(CLI::App& app, Run& run);     ///< alerts list | test
void add_config(CLI::App& app, Run& run);     ///< config check
void add_providers(CLI::App& app, Run& run);  ///< providers list | show | verify
void add_doctor(CLI::App& app, Run& run);     ///< doctor
void add_service(CLI::App& app, Run& run);    ///< service install | remove | status
void add_version(CLI::App& app, Run& run);    ///< version

}  // namespace rockdove::cli
