// A session gets whatever bytes after a valid beginning: what comes out of it is safe to act on, and all of
// its memory is accounted for. The first byte of the input chooses our role.
#include "http/parser.hpp"
#include "tunnel/h2.hpp"
#include "tunnel/head.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>

namespace {

using namespace rockdove;
using namespace rockdove::tunnel;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_fields(const http::Fields& fields) {
  check(is_safe(fields));
  for (const auto [name, value] : fields) check(http::is_token(name) && http::is_field_value(value));
}

/// What a peer says first: the preface, if it is the client, and its settings.
std::string beginning_of_peer(Role role) {
  H2 peer(role, {}, [] { return std::make_shared<H2Stream>(); });
  std::string bytes;
  check(peer.take(bytes, SIZE_MAX).has_value());
  return bytes;
}

struct Owner {
  Owner(Role role, Budget& budget)
      : h2(role, options_with(budget), [this] {
          ++opened;
          return std::make_shared<H2Stream>();
        }) {}

  static H2::Options options_with(Budget& budget) {
    H2::Options options;
    options.stream_window = 2000;
    options.link_window = 70'000;
    options.head_bytes_max = 2000;
    options.streams_max = 8;
    options.budget = &budget;
    return options;
  }

  void act(Role role) {
    for (const auto& stream : h2.take_changed()) {
      check(stream->inbound.size() <= 2000);
      for (http::Fields& head : std::exchange(stream->heads, {})) {
        check(head.bytes() <= 2000);
        if (role == Role::answerer) answer(*stream, std::move(head));
        else if (http::Response response; decode_response(std::move(head), response)) {
          check(response.status >= 100 && response.status <= 999);
          check_fields(response.fields);
        }
      }
      // Every second stream is read, the others fill up.
      if (stream->id % 4 == 1) h2.consume(*stream, std::exchange(stream->inbound, {}).size());
      if (stream->id % 16 == 11) h2.reset(*stream, H2::cancel);
      if (stream->id % 16 == 7) h2.discard(*stream);
    }
    for (const std::string& note : h2.take_notes()) check(note.size() <= 64 * 1024);
    (void)h2.take_ping_ack();
    check(h2.open_streams() <= 8 + 3);
  }

  void answer(H2Stream& stream, http::Fields head) {
    http::Request request;
    if (!decode_request(std::move(head), request)) return h2.reset(stream, H2::internal_error);
    check(http::is_token(request.method) && !request.target.empty());
    check(request.target.find_first_of(std::string_view(" \r\n\t\0", 5)) == std::string::npos);
    check(http::is_field_value(request.upgrade) && http::is_field_value(request.context.host));
    check_fields(request.fields);
    h2.respond(stream, encode_response(200, request.fields).list, true, false);
    h2.send(stream, "answer", true);
  }

  H2 h2;
  std::size_t opened = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const Role role = bytes[0] & 1 ? Role::opener : Role::answerer;
  const std::size_t cut = std::size_t{1} + bytes[1];
  std::string_view input(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  static const std::string client = beginning_of_peer(Role::opener),
                           server = beginning_of_peer(Role::answerer);
  Budget budget{8'000};
  {
    Owner owner(role, budget);
    check(owner.h2.feed(role == Role::opener ? server : client).has_value());
    http::Request request;
    request.method = "GET";
    request.target = "/";
    for (int i = 0; role == Role::opener && i < 3; ++i) {
      const OutgoingHead head = encode_request(request);
      check(owner.h2.open(std::make_shared<H2Stream>(), head.list, i == 0).has_value());
    }
    std::string out;
    while (!input.empty() && owner.h2.feed(input.substr(0, cut))) {
      input.remove_prefix(std::min(cut, input.size()));
      owner.act(role);
      out.clear();
      if (!owner.h2.take(out, 30'000)) break;
      check(out.size() <= 30'000 + 33 * 1024);
      owner.act(role);
    }
    for (const auto& stream : owner.h2.drop_all()) check(stream->closed);
    check(owner.h2.open_streams() == 0);
  }
  check(budget.used == 0);
  return 0;
}
