#include "inbox/record.hpp"

#define XXH_INLINE_ALL  // two calls a record are not worth a library at run time
#include <xxhash.h>

#include <array>
#include <limits>

namespace rockdove::inbox {
namespace {

// Version 1, in this order: the version; the flags; method, target, request_id, peer, upstream and host, each
// a size and so many bytes; the number of fields; each field's name and value. Numbers have four bytes, the
// least significant first.
constexpr char version = 1;
constexpr unsigned char flag_body = 1, flag_tls = 2, flags_known = flag_body | flag_tls;
constexpr std::size_t number_size = 4;
constexpr std::size_t part_max = std::numeric_limits<std::uint32_t>::max();
// Room for what an attempt adds: see attempt_request().
constexpr std::size_t fields_added = 5, fields_added_bytes = 192;

void put_number(std::string& out, std::uint32_t number) {
  std::array<char, number_size> bytes{};
  for (std::size_t i = 0; i < number_size; ++i) bytes[i] = static_cast<char>(number >> (8 * i) & 255);
  out.append(bytes.data(), bytes.size());
}

void put_part(std::string& out, std::string_view part) {
  put_number(out, static_cast<std::uint32_t>(part.size()));
  out += part;
}

/// Takes a record apart; after a step that finds too few bytes all others find none either.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  unsigned char take_byte() {
    const std::string_view byte = take(1);
    return byte.empty() ? 0 : static_cast<unsigned char>(byte[0]);
  }

  std::uint32_t take_number() {
    const std::string_view bytes = take(number_size);
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      number |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return number;
  }

  std::string_view take_part() { return take(take_number()); }

  std::size_t left() const { return rest_.size(); }
  bool is_broken() const { return broken_; }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      broken_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace

std::string encode_head(const StoredRequest& request) {
  std::string out;
  out.reserve(64 + request.method.size() + request.target.size() + request.request_id.size() +
              request.peer.size() + request.upstream.size() + request.host.size() + request.fields.bytes() +
              request.fields.size() * 2 * number_size);
  out += version;
  out += static_cast<char>((request.has_body ? flag_body : 0) | (request.tls ? flag_tls : 0));
  for (const std::string* part : {&request.method, &request.target, &request.request_id, &request.peer,
                                  &request.upstream, &request.host})
    put_part(out, *part);
  put_number(out, static_cast<std::uint32_t>(request.fields.size()));
  for (const auto [name, value] : request.fields) {
    put_part(out, name);
    put_part(out, value);
  }
  return out;
}

Result<StoredRequest> decode_head(std::string_view bytes) {
  // Fields counts its bytes in 32 bits.
  if (bytes.empty() || bytes[0] != version || bytes.size() > part_max) return Error::malformed;
  Reader reader(bytes.substr(1));
  StoredRequest request;
  const unsigned char flags = reader.take_byte();
  if ((flags & ~flags_known) != 0) return Error::malformed;
  request.has_body = (flags & flag_body) != 0;
  request.tls = (flags & flag_tls) != 0;
  for (std::string* part : {&request.method, &request.target, &request.request_id, &request.peer,
                            &request.upstream, &request.host})
    *part = reader.take_part();
  const std::size_t fields = reader.take_number();
  // Before anything is allocated for them: the two sizes of each field have to be there.
  if (fields > reader.left() / (2 * number_size)) return Error::malformed;
  request.fields.reserve(fields + fields_added,
                         reader.left() - fields * 2 * number_size + fields_added_bytes);
  for (std::size_t i = 0; i < fields; ++i) {
    const std::string_view name = reader.take_part();
    const std::string_view value = reader.take_part();
    request.fields.add(name, value);
  }
  if (reader.is_broken() || reader.left() > 0) return Error::malformed;
  return request;
}

std::uint64_t checksum(std::initializer_list<std::string_view> parts) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (const std::string_view part : parts) {
    // With the sizes, a byte that moves from one part to the next is seen.
    std::array<char, 8> size;
    for (std::size_t i = 0; i < size.size(); ++i) size[i] = static_cast<char>(part.size() >> (8 * i) & 255);
    XXH3_64bits_update(&state, size.data(), size.size());
    XXH3_64bits_update(&state, part.data(), part.size());
  }
  return XXH3_64bits_digest(&state);
}

}  // namespace rockdove::inbox
