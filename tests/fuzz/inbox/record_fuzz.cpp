// Stored requests: what can be read is what was written, to the byte.
#include "inbox/record.hpp"

#include <cstdlib>

namespace {

using namespace rockdove;
using namespace rockdove::inbox;

void require(bool holds) {
  if (!holds) std::abort();
}

/// A request made of the bytes: pieces between NULs are its parts.
StoredRequest request_of(std::string_view bytes) {
  const auto take = [&bytes] {
    const std::string_view part = bytes.substr(0, bytes.find('\0'));
    bytes.remove_prefix(part.size() + (part.size() < bytes.size()));
    return part;
  };
  StoredRequest request;
  request.has_body = bytes.size() % 2 == 0;
  request.tls = bytes.size() % 3 == 0;
  for (std::string* part : {&request.method, &request.target, &request.request_id, &request.peer,
                            &request.upstream, &request.host})
    *part = take();
  while (!bytes.empty()) {
    const std::string_view name = take();
    request.fields.add(name, take());
  }
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto read = decode_head(bytes)) require(encode_head(*read) == bytes);

  const StoredRequest request = request_of(bytes);
  const std::string head = encode_head(request);
  const auto again = decode_head(head);
  require(again && encode_head(*again) == head && again->fields.size() == request.fields.size());
  require(!decode_head(head + "x") && !decode_head(std::string_view(head).substr(0, head.size() - 1)));
  require(checksum({head, bytes}) == checksum({std::string(head), std::string(bytes)}));
  return 0;
}
