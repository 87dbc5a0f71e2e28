#include "config/config_path.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace rockdove::config {
namespace {

std::filesystem::path environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets the environment
  return value ? value : "";
}

/// The user's directory for our configurations; empty if it is not known.
std::filesystem::path user_directory() {
#ifdef _WIN32
  const auto base = environment("APPDATA");
#else
  auto base = environment("XDG_CONFIG_HOME");
  if (const auto home = environment("HOME"); base.empty() && !home.empty()) base = home / ".config";
#endif
  return base.empty() ? base : base / "rockdove";
}

std::filesystem::path system_directory() {
#ifdef _WIN32
  return environment("ProgramData") / "rockdove";
#else
  return "/etc/rockdove";
#endif
}

}  // namespace

std::filesystem::path find_config(const std::filesystem::path& option, std::string_view role) {
  if (!option.empty()) return option;
  if (auto named = environment("ROCKDOVE_CONFIG"); !named.empty()) return named;
  const std::string file = std::string(role) + ".toml";
  for (const auto& directory : {user_directory(), system_directory()}) {
    std::error_code ignored;
    if (!directory.empty() && std::filesystem::exists(directory / file, ignored)) return directory / file;
  }
  return {};
}

std::filesystem::path config_to_write(const std::filesystem::path& option, std::string_view role) {
  if (!option.empty()) return option;
  if (auto named = environment("ROCKDOVE_CONFIG"); !named.empty()) return named;
  const auto directory = user_directory();
  if (directory.empty())
    throw std::runtime_error("HOME is not set: say with --config where the file shall be");
  return directory / (std::string(role) + ".toml");
}

}  // namespace rockdove::config
