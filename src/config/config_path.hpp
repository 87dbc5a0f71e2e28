// Where configurations are looked for.
#pragma once

#include <filesystem>
#include <string_view>

namespace rockdove::config {

/// The configuration to read for `role` ("server" or "agent"): `option` (what --config said), else
/// $ROCKDOVE_CONFIG, else ROLE.toml in the user's directory, else in /etc/rockdove. Empty if there is none.
/// The first two are taken as they are, whether they exist or not: a mistyped name must not mean the
/// defaults.
std::filesystem::path find_config(const std::filesystem::path& option, std::string_view role);

/// Where a configuration for `role` is written: `option`, else $ROCKDOVE_CONFIG, else in the user's directory
/// ($XDG_CONFIG_HOME/rockdove, or ~/.config/rockdove). Throws std::runtime_error if there is no home
/// directory.
std::filesystem::path config_to_write(const std::filesystem::path& option, std::string_view role);

}  // namespace rockdove::config
