#include "agent/hello.hpp"

#include "http/parser.hpp"
#include "net/crypto.hpp"

namespace rockdove::agent {
namespace {

constexpr std::size_t answer_bytes_max = 8 * 1024;

}  // namespace

Awaitable<Result<HelloAnswer>> say_hello(net::Stream& stream, const tunnel::LinkHello& hello,
                                         const std::string& host) {
  const std::string key = net::base64(net::random_bytes(16));
  const std::string request = tunnel::write_hello(hello, host, key);
  auto [sent, request_size] = co_await stream.async_write(net::asio::buffer(request), net::token);
  if (sent) co_return sent;
  http::HeadLimits limits;
  limits.header_bytes = answer_bytes_max;
  std::string buffer(answer_bytes_max, '\0');
  std::size_t filled = 0, scanned = 0, head_size = 0;
  while (head_size == 0) {
    if (filled == buffer.size()) co_return Error::protocol;
    auto [error, size] = co_await stream.async_read_some(
        net::asio::buffer(buffer.data() + filled, buffer.size() - filled), net::token);
    if (error) co_return error;
    filled += size;
    const auto found = http::find_head({buffer.data(), filled}, limits, scanned);
    if (!found) co_return Error::protocol;
    head_size = *found;
  }
  const auto head = http::parse_response_head({buffer.data(), head_size}, limits, "GET");
  if (!head) co_return Error::protocol;
  auto answer = tunnel::read_answer(*head, key);
  if (!answer) co_return answer.error();
  HelloAnswer result{std::move(*answer), std::string(buffer, head_size, filled - head_size)};
  co_return result;
}

}  // namespace rockdove::agent
