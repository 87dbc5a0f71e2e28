#include "server/alert_message.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "server/webhook_signature.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace rockdove::server {
namespace {

namespace json = boost::json;
using Form = config::AlertTarget::Form;
using Outcome = AlertAnswer::Outcome;

constexpr std::size_t words_max = 200;
// A bot's 100 a minute or 5 a second are used up; of all bots of a group together; of one that is asked too
// often (it says the same of a body that it does not understand).
constexpr std::array<std::int64_t, 3> busy_codes{11232, 99991400, 9499};

std::string new_id() {
  return "alert_" + net::random_hex(12);
}

/// "rockdove" is in every message, so that it can be the keyword that a bot of Feishu asks for.
std::string headed(const std::string& host, const std::string& text) {
  return "[rockdove " + host + "] " + text;
}

/// The key is what is signed and the message is empty: that is how Feishu has it.
std::string feishu_sign(const std::string& timestamp, const std::string& secret) {
  return net::base64(net::hmac(net::Digest::sha256, timestamp + "\n" + secret, {}));
}

json::object feishu_body(const AlertMessage& message, const std::string& secret, ops::AlertTime now) {
  json::object body;
  if (!secret.empty()) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    const std::string timestamp = std::to_string(seconds);
    body["timestamp"] = timestamp;
    body["sign"] = feishu_sign(timestamp, secret);
  }
  body["msg_type"] = "text";
  body["content"] = {{"text", message.text}};
  return body;
}

json::object own_body(const AlertMessage& message, const std::string& host) {
  json::object body;
  body["id"] = message.id;
  body["kind"] = message.kind;
  body["state"] = message.state;
  body["reminder"] = message.is_reminder;
  body["subject"] = to_utf8(message.subject);
  body["text"] = message.text;
  body["since"] = message.since ? json::value(format_rfc3339(*message.since)) : json::value();
  body["count"] = std::max<std::size_t>(message.notices.size(), 1);
  body["version"] = ROCKDOVE_VERSION;
  body["host"] = to_utf8(host);
  return body;
}

bool may_pass(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

AlertAnswer judge_feishu(const http::Response& response) {
  const std::string status = "status " + std::to_string(response.status);
  boost::system::error_code failed;
  const json::value answer = json::parse(response.content, failed);
  const json::object* root = failed ? nullptr : answer.if_object();
  const json::value* code = root ? root->if_contains("code") : nullptr;
  if (!code && root) code = root->if_contains("StatusCode");  // bots made before 2021 say it so
  if (!code || !code->is_int64())
    return {may_pass(response.status) || response.status / 100 == 2 ? Outcome::again : Outcome::rejected,
            status + ", and no answer of Feishu's"};
  const std::int64_t number = code->get_int64();
  const json::value* said = root->if_contains("msg");
  std::string words = "code " + std::to_string(number);
  if (said && said->is_string()) {
    const std::string readable = printable(said->get_string(), Lines::escape);
    words.append(": ").append(utf8_prefix(readable, words_max));
  }
  if (number == 0 && response.status / 100 == 2) return {Outcome::sent, words};
  const bool is_busy = std::ranges::find(busy_codes, number) != busy_codes.end();
  return {is_busy || may_pass(response.status) ? Outcome::again : Outcome::rejected, words};
}

}  // namespace

AlertMessage make_alert_message(ops::AlertBatch batch, std::size_t per_hour, ops::Language language,
                                const std::string& host) {
  const ops::Notice& first = batch.notices.front();
  AlertMessage message;
  message.id = new_id();
  message.since = first.since;
  if (batch.is_summary) {
    message.kind = "summary";
    message.state = "firing";
    message.text = headed(host, ops::summary_text(batch.notices, per_hour, language));
    for (const ops::Notice& each : batch.notices) message.since = std::min(*message.since, each.since);
  } else {
    message.kind = ops::alert_kind_name(first.condition.kind);
    message.state = first.what == ops::Notice::What::resolved ? "resolved" : "firing";
    message.is_reminder = first.what == ops::Notice::What::reminder;
    message.subject = first.condition.subject;
    message.text = headed(host, ops::notice_text(first, language));
  }
  message.notices = std::move(batch.notices);
  return message;
}

AlertMessage make_test_message(ops::Language language, const std::string& host) {
  return {new_id(), "test", "firing", "", headed(host, ops::test_text(language)), {}, false, {}};
}

http::Request make_alert_request(const AlertMessage& message, const AlertReceiver& receiver,
                                 const std::string& host, ops::AlertTime now) {
  const bool is_feishu = receiver.target.form == Form::feishu;
  const std::string& key = receiver.secrets.key;
  http::Request request;
  request.method = "POST";
  request.target = receiver.secrets.url.path;
  request.content = json::serialize(is_feishu ? feishu_body(message, key, now) : own_body(message, host));
  request.has_body = true;
  request.fields.add("Content-Type", "application/json; charset=utf-8");
  request.fields.add("Content-Length", std::to_string(request.content.size()));
  request.fields.add("User-Agent", "rockdove/" ROCKDOVE_VERSION);
  if (!is_feishu && !key.empty()) sign_webhook(request, message.id, {key}, now);
  return request;
}

AlertAnswer judge_alert_answer(Form form, const http::Response& response) {
  if (form == Form::feishu) return judge_feishu(response);
  const std::string words = "status " + std::to_string(response.status);
  if (response.status / 100 == 2) return {Outcome::sent, words};
  return {may_pass(response.status) ? Outcome::again : Outcome::rejected, words};
}

}  // namespace rockdove::server
