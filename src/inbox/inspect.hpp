// A look at an inbox's file from outside, beside whoever has it open.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace rockdove::inbox {

struct Inspection {
  bool is_ours = false;      ///< a file that this program, of whatever version, has written
  std::int64_t version = 0;  ///< of its tables; see schema_version
  std::string error;         ///< not empty: it could not be read, and why
};

/// Opens `file`, which must be there, for reading only and asks it for its marks. Changes nothing, makes no
/// files, and waits for nobody.
Inspection inspect(const std::filesystem::path& file);

}  // namespace rockdove::inbox
