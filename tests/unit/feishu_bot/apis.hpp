// Feishu and Lingxing as Handlers of a test, and answers in their form.
#pragma once

#include "feishu-bot/json.hpp"
#include "feishu-bot/json_api.hpp"
#include "support/bodies.hpp"
#include "support/run.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::feishu_bot {

/// Somebody else's API: `answer` says what each request gets; `requests` keeps them.
struct FakeApi {
  struct Seen {
    std::string method, target, authorization, content;
  };
  using Answers = std::function<test::Answer(const Seen& request)>;

  explicit FakeApi(Answers answers) : answer(std::move(answers)) {}

  Answers answer;
  std::vector<Seen> requests;
  test::FunctionHandler handler{[this](http::Request request) -> net::Awaitable<test::Answer> {
    Seen seen{std::move(request.method), std::move(request.target),
              std::string(request.fields.get("authorization").value_or("")), std::move(request.content)};
    requests.push_back(seen);
    co_return answer(requests.back());
  }};
  JsonApi json{handler, {"/base"}};
};

inline http::Response json_answer(std::string text, int status = 200) {
  return http::make_response(status, "application/json", std::move(text));
}

/// What Feishu answers when all is well.
inline http::Response feishu_answer(const FakeApi::Seen& request, int expire = 7200) {
  if (request.target.ends_with("/internal"))
    return json_answer(R"({"code":0,"msg":"ok","tenant_access_token":"t-1","expire":)" +
                       std::to_string(expire) + "}");
  return json_answer(R"({"code":0,"msg":"success","data":{}})");
}

}  // namespace rockdove::feishu_bot
