// What read_hello() takes is valid and survives being written and read again; a refusal that an agent
// reads can be passed on unchanged.
#include "tunnel/handshake.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace rockdove;
using namespace rockdove::tunnel;

void check(bool holds) {
  if (!holds) std::abort();
}

void judge_request(std::string_view text) {
  const auto head = http::parse_request_head(text, {});
  if (!head) return;
  std::string key;
  const auto hello = read_hello(*head, key);
  if (!hello) {
    check(key.empty() && (hello.error() == Error::protocol || hello.error() == Error::unauthorized));
    return;
  }
  check(is_valid(*hello) && key.size() == 24);
  const auto head_again = http::parse_request_head(write_hello(*hello, "h", key), {});
  check(head_again.has_value());
  std::string key_again;
  const auto again = read_hello(*head_again, key_again);
  check(again.has_value() && *again == *hello && key_again == key);
}

void judge_answer(std::string_view text) {
  const auto head = http::parse_response_head(text, {}, "GET");
  if (!head) return;
  const auto answer = read_answer(*head, "dGhlIHNhbXBsZSBub25jZQ==");
  if (!answer) return check(answer.error() == Error::protocol && head->status < 200);
  if (std::holds_alternative<LinkAccept>(*answer)) return check(head->status == 101);

  const auto& refusal = std::get<LinkRefusal>(*answer);
  check(refusal.message.size() <= refusal_message_max &&
        refusal.retry_after.value_or(retry_after_max) <= retry_after_max);
  if (refusal.status < 300 || refusal.status > 599) return;
  const std::string written = write_refusal(refusal);
  const auto head_again =
      http::parse_response_head(written.substr(0, written.find("\r\n\r\n") + 4), {}, "GET");
  check(head_again.has_value());
  const auto again = read_answer(*head_again, "");
  check(again.has_value() && std::get<LinkRefusal>(*again) == refusal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  judge_request(text);
  judge_answer(text);
  return 0;
}
