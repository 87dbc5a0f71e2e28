// What a running server says of itself, turned into findings.
#pragma once

#include "doctor/report.hpp"

#include <string_view>
#include <vector>

namespace rockdove::doctor {

/// `health` is the answer to GET /health of the admin port at `admin`.
void judge_health(Report& report, std::string_view health, const std::string& admin);

/// `stats` is that to GET /stats: agents of each of `tunnels`, their versions and upstreams.
void judge_agents(Report& report, std::string_view stats, const std::vector<std::string>& tunnels,
                  const std::string& admin);

}  // namespace rockdove::doctor
