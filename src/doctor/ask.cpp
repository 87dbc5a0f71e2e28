#include "doctor/ask.hpp"

#include "doctor/machine.hpp"
#include "http/client.hpp"

namespace rockdove::doctor {
namespace {

constexpr std::size_t body_max = 16 * 1024 * 1024;

Awaitable<Result<HttpAnswer>> exchange(http::Client& client, const Question& question) {
  http::Request request;
  request.method = "GET";
  request.target = question.target;
  request.fields.add("Host", client.authority());
  request.fields.add("User-Agent", "rockdove/" ROCKDOVE_VERSION);
  if (!question.origin.empty()) request.fields.add("Origin", question.origin);
  auto response = co_await client.handle(std::move(request));
  if (!response) co_return response.error();
  http::Response received = std::move(*response);
  const auto whole = co_await http::read_all(received, body_max);
  if (!whole) co_return whole.error();
  HttpAnswer answer{received.status, std::move(received.content)};
  co_return answer;
}

}  // namespace

Awaitable<Result<HttpAnswer>> ask(Question question) {
  if (question.address.host == "0.0.0.0") question.address.host = "127.0.0.1";
  if (question.address.host == "::") question.address.host = "::1";
  http::Client::Options options;
  options.address = question.address;
  options.tls = question.tls;
  options.connections = 1;
  options.connect_timeout = options.first_byte_timeout = options.idle_timeout = check_limit;
  const net::Executor executor = co_await net::asio::this_coro::executor;
  http::Client client(executor, std::move(options));
  auto answer = co_await exchange(client, question);
  co_await client.close();
  co_return answer;
}

}  // namespace rockdove::doctor
