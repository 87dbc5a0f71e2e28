// Chunked bodies: the same bytes mean the same, in whatever pieces they come.
#include "http/parser.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace rockdove;
using namespace rockdove::http;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Decoded {
  boost::system::error_code error;
  bool finished = false;
  std::string data;
  std::string trailers;
  std::size_t consumed = 0;
};

/// Feeds `bytes` cut at `cut`, then in pieces of `size`.
Decoded decode(std::string_view bytes, std::size_t cut, std::size_t size) {
  ChunkedDecoder decoder(HeadLimits{64, 128, 4});
  Decoded result;
  std::size_t end = cut;
  while (!result.finished && result.consumed < bytes.size()) {
    if (result.consumed >= end) end = std::min(bytes.size(), end + size);
    const std::string_view piece = bytes.substr(result.consumed, end - result.consumed);
    const auto step = decoder.feed(piece);
    if (!step) return Decoded{step.error(), false, "", "", 0};
    require(step->consumed <= piece.size() && (step->consumed > 0 || step->finished || piece.empty()));
    require(step->data.empty() || (step->data.data() >= piece.data() &&
                                   step->data.data() + step->data.size() <= piece.data() + step->consumed));
    result.data += step->data;
    result.consumed += step->consumed;
    result.finished = step->finished;
  }
  for (const Fields::Field field : decoder.trailers()) {
    require(is_token(field.name) && is_field_value(field.value));
    result.trailers.append(field.name).append(":").append(field.value).append("\n");
  }
  return result;
}

bool is_same(const Decoded& a, const Decoded& b) {
  return a.error == b.error && a.finished == b.finished && a.data == b.data && a.trailers == b.trailers &&
         a.consumed == b.consumed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Decoded whole = decode(bytes, size, size);
  for (const std::size_t piece : {1, 2, 5}) require(is_same(whole, decode(bytes, piece, piece)));
  for (std::size_t cut = 1; cut < size; cut += 1 + size / 64)
    require(is_same(whole, decode(bytes, cut, size)));
  if (!whole.finished) return 0;

  // Written anew as one chunk, it is the same body.
  char length[17];
  std::snprintf(length, sizeof length, "%zx", whole.data.size());
  std::string again = whole.data.empty() ? std::string() : std::string(length) + "\r\n" + whole.data + "\r\n";
  again += "0\r\n\r\n";
  require(decode(again, again.size(), 1).data == whole.data);
  return 0;
}
