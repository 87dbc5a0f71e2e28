// The part of Feishu's API that a bot needs: an access token, and replies (open.feishu.cn/document).
#pragma once

#include "feishu-bot/json_api.hpp"
#include "net/event.hpp"

#include <list>
#include <optional>
#include <string>

namespace rockdove::feishu_bot {

/// A message as the API takes it.
struct Message {
  std::string type;     ///< msg_type: "text" or "interactive"
  std::string content;  ///< a JSON text, as `type` asks for
};

/// Loop thread only. Must outlive its calls.
class FeishuApi {
 public:
  struct Options {
    std::string app_id, app_secret;
    net::Duration refresh_before = std::chrono::minutes(5);  ///< a token is not used longer than to then
  };

  /// `api` must outlive it.
  FeishuApi(net::Executor executor, JsonApi& api, Options options)
      : executor_(executor), api_(api), options_(std::move(options)) {}

  /// POST /open-apis/im/v1/messages/:message_id/reply. Two calls with one `uuid` (at most 50 bytes) within an
  /// hour send one message. A token that Feishu no longer takes is replaced, once.
  Awaitable<Outcome<void>> reply(const std::string& message_id, const Message& message,
                                 const std::string& uuid);

 private:
  struct Token {
    std::string text;
    net::Clock::time_point use_until;
  };
  struct Waiter;

  Awaitable<Outcome<std::string>> access_token();
  Awaitable<Outcome<Token>> fetch_token();

  const net::Executor executor_;
  JsonApi& api_;
  const Options options_;
  std::optional<Outcome<Token>> token_;  // what the last fetch brought
  bool fetching_ = false;
  std::list<Waiter*> waiting_;  // for the fetch that is under way
};

/// True if the same call may do better later: nobody answered, or it came too often.
bool may_pass(const Failure& failure);

}  // namespace rockdove::feishu_bot
