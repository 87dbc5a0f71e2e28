// Providers as the operator writes them: [[provider]] tables, in the program's own table and in server.toml.
#pragma once

#include "config/toml_reader.hpp"
#include "providers/catalog.hpp"

#include <string>

namespace rockdove::config {

/// The schemes that the program comes with, then those of all [[provider]] tables of `document`; one of the
/// same name replaces an earlier one. Throws ConfigError.
providers::Catalog read_providers(Section& document);
/// The former alone.
const providers::Catalog& builtin_providers();

/// Reads one [[provider]]. Throws ConfigError.
providers::Scheme read_provider(Section& section);

}  // namespace rockdove::config
