// Where a secret comes from: a file or the environment, never the configuration itself.
#pragma once

#include "config/toml_reader.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::config {

struct SecretSource {
  enum class From { file, environment };
  From from = From::file;
  std::string place;      ///< the file's path, or the variable's name
  bool optional = false;  ///< a variable that may be unset: then there is no such secret

  bool operator==(const SecretSource&) const = default;
};

/// Reads `key`, a string or a list of at most `most`, each "file:PATH" or "env:NAME". Throws ConfigError.
std::vector<SecretSource> read_secret_sources(Section& section, std::string_view key, std::size_t most);

/// The secret, without line ends at its end; nothing if it is optional and unset. Throws ConfigError that
/// names the file or variable; it never quotes what is in it.
std::optional<std::string> load_secret(const SecretSource& source);

}  // namespace rockdove::config
