// Whatever a note holds: what is read of it can be written and comes back the same.
#include "tunnel/report.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace rockdove::tunnel;

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto read = decode_report({reinterpret_cast<const char*>(bytes), size});
  if (!read) {
    check(read.error() == rockdove::Error::protocol);
    return 0;
  }
  check(read->size() <= 64);
  for (const UpstreamReport& each : *read)
    check(each.name.size() <= 200 && each.url.size() <= 200 && each.detail.size() <= 200);
  const auto again = decode_report(encode_report(*read));
  check(again && *again == *read);
  return 0;
}
