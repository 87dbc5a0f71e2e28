#include "feishu-bot/json_api.hpp"

#include "feishu-bot/json.hpp"
#include "net/address.hpp"

#include <fmt/format.h>

namespace rockdove::feishu_bot {
namespace {

Failure failure_of(boost::system::error_code error) {
  Failure failure;
  if (error == Error::upstream_timeout || error == Error::timed_out) failure.kind = Failure::Kind::timed_out;
  if (error == Error::body_too_large || error == Error::upstream_malformed)
    failure.kind = Failure::Kind::unreadable;
  failure.message = error.message();
  return failure;
}

/// What a proxy of ours between here and the API answers in its place.
std::optional<Failure> proxy_failure(int status, const boost::json::value& body) {
  std::string cause = text_at(body, {"error", "cause"});
  if (cause.empty() || status < 400) return std::nullopt;
  Failure failure;
  if (status == 504) failure.kind = Failure::Kind::timed_out;
  failure.status = status;
  failure.code = std::move(cause);
  failure.message = text_at(body, {"error", "message"});
  return failure;
}

}  // namespace

Result<BaseUrl> parse_base_url(std::string_view text) {
  const auto url = net::parse_url(text);
  if (!url) return url.error();
  if (url->scheme != "http" && url->scheme != "https") return Error::malformed;
  if (url->path.find('?') != url->path.npos) return Error::malformed;
  BaseUrl base{{url->host, url->port}, url->is_tls(), url->path};
  while (base.prefix.ends_with('/')) base.prefix.pop_back();
  return base;
}

std::string to_string(const Failure& failure) {
  constexpr std::string_view kinds[] = {"unreachable", "timed out", "unreadable", "refused"};
  std::string text(kinds[static_cast<std::size_t>(failure.kind)]);
  if (failure.status != 0) text += fmt::format(", HTTP {}", failure.status);
  if (!failure.code.empty()) text += ", code " + failure.code;
  if (!failure.message.empty()) text += ": " + failure.message;
  return text;
}

Awaitable<Outcome<JsonApi::Answer>> JsonApi::call(Call call) {
  http::Request request;
  request.method = std::move(call.method);
  request.target = options_.prefix + call.target;
  request.fields.add("User-Agent", "rockdove-feishu-bot/" ROCKDOVE_VERSION);
  request.fields.add("Accept", "application/json");
  if (!call.authorization.empty()) request.fields.add("Authorization", call.authorization);
  if (!call.body.empty()) {
    request.fields.add("Content-Type", "application/json; charset=utf-8");
    request.fields.add("Content-Length", std::to_string(call.body.size()));
    request.has_body = true;
    request.content = std::move(call.body);
  }
  request.context.first_byte_timeout = options_.timeout;
  auto response = co_await http_.handle(std::move(request));
  if (!response) co_return failure_of(response.error());
  http::Response whole = std::move(*response);
  auto read = co_await http::read_all(whole, options_.answer_bytes);
  if (!read) co_return failure_of(read.error());

  auto body = parse_json(whole.content);
  if (!body) {
    Failure failure;
    failure.kind = Failure::Kind::unreadable;
    failure.status = whole.status;
    failure.message = "the answer is no JSON";
    co_return failure;
  }
  if (auto failure = proxy_failure(whole.status, *body)) co_return std::move(*failure);
  Answer answer;
  answer.status = whole.status;
  answer.fields = std::move(whole.fields);
  answer.body = std::move(*body);
  co_return answer;
}

}  // namespace rockdove::feishu_bot
