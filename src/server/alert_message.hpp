// A message about what is wrong, and the requests that carry it to a receiver. Pure: time is a parameter.
#pragma once

#include "config/alerts_config.hpp"
#include "http/message.hpp"
#include "ops/alert_pace.hpp"
#include "ops/alert_text.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace rockdove::server {

struct AlertMessage {
  std::string id;                       ///< the same in each attempt: receivers can tell a second one by it
  std::string kind;                     ///< of ops::alert_kind_name(), "summary" or "test"
  std::string state;                    ///< "firing" or "resolved"
  std::string subject;                  ///< "" of a summary
  std::string text;                     ///< for people
  std::optional<ops::AlertTime> since;  ///< none for a test
  bool is_reminder = false;
  std::vector<ops::Notice> notices;  ///< what it tells
};

/// `batch` has at least one notice; `host` is whose alerts these are.
AlertMessage make_alert_message(ops::AlertBatch batch, std::size_t per_hour, ops::Language language,
                                const std::string& host);
AlertMessage make_test_message(ops::Language language, const std::string& host);

/// Where a message goes: a target of the configuration with its secrets.
struct AlertReceiver {
  config::AlertTarget target;
  config::AlertSecrets secrets;

  bool operator==(const AlertReceiver&) const = default;
};

/// POST with the body that the receiver's form wants, signed for `now` if there is a key. Without Host.
/// A Feishu bot wants msg_type, content and, signed, timestamp and sign in the body
/// (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot). Everybody else gets our JSON with
/// Webhook-Id, -Timestamp and -Signature.
http::Request make_alert_request(const AlertMessage& message, const AlertReceiver& receiver,
                                 const std::string& host, ops::AlertTime now);

/// What an answer means, and says in a few words for the log.
struct AlertAnswer {
  enum class Outcome {
    sent,
    rejected,  ///< no use in trying again
    again,
  };
  Outcome outcome = Outcome::again;
  std::string words;
};

/// A Feishu bot says what is wrong with a status of 200 and a code that is not 0.
AlertAnswer judge_alert_answer(config::AlertTarget::Form form, const http::Response& response);

}  // namespace rockdove::server
