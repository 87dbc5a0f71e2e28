// What alerts keep over a restart, as text of a small file.
#pragma once

#include "ops/alerts.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::ops {

/// JSON, in one line.
std::string write_alert_records(const std::vector<AlertRecord>& records);
/// Nothing if this is not what write_alert_records() makes. Kinds that this version does not know are left
/// out: a later one may have written them.
std::optional<std::vector<AlertRecord>> read_alert_records(std::string_view text);

}  // namespace rockdove::ops
