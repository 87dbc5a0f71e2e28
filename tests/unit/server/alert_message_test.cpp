#include "server/alert_message.hpp"

#include "net/crypto.hpp"
#include "net/signing.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <array>

namespace rockdove::server {
namespace {

using namespace std::chrono_literals;
using Form = config::AlertTarget::Form;
using Outcome = AlertAnswer::Outcome;

const ops::AlertTime now(1'599'360'473'999ms);

ops::Notice notice(ops::Notice::What what = ops::Notice::What::firing) {
  return {what, {ops::AlertKind::agent_gone, "bot"}, ops::AlertTime(1'599'360'000'000ms), 5min};
}

AlertReceiver receiver(Form form, std::string key = {}) {
  AlertReceiver receiver;
  receiver.target.form = form;
  receiver.secrets.url = {"https", "open.feishu.cn", 443, "/open-apis/bot/v2/hook/abc"};
  receiver.secrets.key = std::move(key);
  return receiver;
}

boost::json::object body_of(const http::Request& request) {
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/open-apis/bot/v2/hook/abc");
  EXPECT_EQ(request.fields.get("Content-Length"), std::to_string(request.content.size()));
  EXPECT_EQ(request.fields.get("Content-Type"), "application/json; charset=utf-8");
  return boost::json::parse(request.content).as_object();
}

AlertAnswer judge(Form form, int status, const std::string& content) {
  return judge_alert_answer(form, http::make_response(status, "application/json", content));
}

TEST(AlertMessage, a_bot_of_feishu_gets_text_signed_as_it_asks) {
  const AlertMessage message = make_alert_message({{notice()}, false}, 10, ops::Language::en, "vm1");
  const auto body =
      body_of(make_alert_request(message, receiver(Form::feishu, "demo-secret-7Qd"), "vm1", now));
  EXPECT_EQ(body.at("timestamp").as_string(), "1599360473") << "in seconds, as text";
  // python3: base64.b64encode(hmac.new(b"1599360473\ndemo-secret-7Qd", digestmod=hashlib.sha256).digest())
  EXPECT_EQ(body.at("sign").as_string(), "iRiXPgKOTNHaXUQn0uBjrZMeslKEjrqoij/oy0jpSw8=");
  EXPECT_EQ(body.at("msg_type").as_string(), "text");
  const auto text = body.at("content").at("text").as_string();
  EXPECT_TRUE(text.starts_with("[rockdove vm1] ALERT: tunnel bot: no agent is connected, since ")) << text;
  EXPECT_EQ(body.size(), 4U);
  const auto unsigned_body = body_of(make_alert_request(message, receiver(Form::feishu), "vm1", now));
  EXPECT_EQ(unsigned_body.size(), 2U);
}

TEST(AlertMessage, everybody_else_gets_our_json) {
  const AlertMessage message =
      make_alert_message({{notice(ops::Notice::What::reminder)}, false}, 10, ops::Language::en, "vm1");
  const http::Request request = make_alert_request(message, receiver(Form::json), "vm1", now);
  const auto body = body_of(request);
  EXPECT_EQ(body.at("id").as_string(), message.id);
  EXPECT_EQ(body.at("kind").as_string(), "agent_gone");
  EXPECT_EQ(body.at("state").as_string(), "firing");
  EXPECT_TRUE(body.at("reminder").as_bool());
  EXPECT_EQ(body.at("subject").as_string(), "bot");
  EXPECT_EQ(body.at("text").as_string(), message.text);
  EXPECT_EQ(body.at("since").as_string(), "2020-09-06T02:40:00.000Z");
  EXPECT_EQ(body.at("count").to_number<int>(), 1);
  EXPECT_EQ(body.at("version").as_string(), ROCKDOVE_VERSION);
  EXPECT_EQ(body.at("host").as_string(), "vm1");
  EXPECT_FALSE(request.fields.contains("Webhook-Signature"));
}

TEST(AlertMessage, our_json_is_signed_with_the_same_id_in_each_attempt) {
  const std::string key(32, 'k');
  const AlertMessage message =
      make_alert_message({{notice(ops::Notice::What::resolved)}, false}, 10, ops::Language::en, "vm1");
  EXPECT_EQ(message.state, "resolved");
  for (const auto at : {now, now + 1h}) {
    const http::Request request = make_alert_request(message, receiver(Form::json, key), "vm1", at);
    EXPECT_EQ(request.fields.get("Webhook-Id"), message.id);
    const std::string timestamp(request.fields.get("Webhook-Timestamp").value_or(""));
    EXPECT_EQ(timestamp, std::to_string(at.time_since_epoch() / 1s));
    const std::array<std::string_view, 5> pieces{message.id, ".", timestamp, ".", request.content};
    EXPECT_EQ(request.fields.get("Webhook-Signature"),
              "v1," + net::base64(net::hmac(net::Digest::sha256, key, pieces)));
  }
}

TEST(AlertMessage, a_summary_tells_how_many_and_since_when) {
  ops::AlertBatch batch{{notice(), notice(), notice()}, true};
  batch.notices[1].since -= 1h;
  const AlertMessage message = make_alert_message(std::move(batch), 10, ops::Language::en, "vm1");
  const auto body = body_of(make_alert_request(message, receiver(Form::json), "vm1", now));
  EXPECT_EQ(body.at("kind").as_string(), "summary");
  EXPECT_EQ(body.at("subject").as_string(), "");
  EXPECT_EQ(body.at("count").to_number<int>(), 3);
  EXPECT_EQ(body.at("since").as_string(), "2020-09-06T01:40:00.000Z");
  EXPECT_TRUE(body.at("text").as_string().starts_with("[rockdove vm1] 3 more"));
}

TEST(AlertMessage, a_test_says_that_it_is_one) {
  const AlertMessage message = make_test_message(ops::Language::zh, "vm1");
  const auto body = body_of(make_alert_request(message, receiver(Form::json), "vm1", now));
  EXPECT_EQ(body.at("kind").as_string(), "test");
  EXPECT_TRUE(body.at("since").is_null());
  EXPECT_EQ(body.at("text").as_string(), "[rockdove vm1] 这是一条测试消息：本服务器的告警会发到这里");
}

TEST(AlertMessage, knows_what_a_bot_of_feishu_means) {
  const struct {
    int status;
    const char* content;
    Outcome outcome;
    const char* words;
  } cases[] = {
      {200, R"({"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"})", Outcome::sent,
       "code 0: success"},
      {200, R"({"StatusCode":0,"StatusMessage":"success"})", Outcome::sent, "code 0"},
      {200, R"({"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"})",
       Outcome::rejected,
       "code 19021: sign match fail or timestamp is not within one hour from current time"},
      {200, R"({"code":19024,"msg":"Key Words Not Found"})", Outcome::rejected,
       "code 19024: Key Words Not Found"},
      {400, R"({"code":9499,"msg":"too many request","data":{}})", Outcome::again,
       "code 9499: too many request"},
      {200, R"({"code":11232,"msg":"frequency limited"})", Outcome::again, "code 11232: frequency limited"},
      {400, R"({"code":99991400,"msg":"request trigger frequency limit"})", Outcome::again,
       "code 99991400: request trigger frequency limit"},
      {500, R"({"code":0,"msg":"ok"})", Outcome::again, "code 0: ok"},
      {502, "<html>", Outcome::again, "status 502, and no answer of Feishu's"},
      {200, "<html>a hotel's portal</html>", Outcome::again, "status 200, and no answer of Feishu's"},
      {200, R"({"code":"0"})", Outcome::again, "status 200, and no answer of Feishu's"},
      {200, "[]", Outcome::again, "status 200, and no answer of Feishu's"},
      {404, "", Outcome::rejected, "status 404, and no answer of Feishu's"},
      {200, "{\"code\":1,\"msg\":\"a\\nb\"}", Outcome::rejected, "code 1: a\\u000ab"},
  };
  for (const auto& each : cases) {
    const AlertAnswer answer = judge(Form::feishu, each.status, each.content);
    EXPECT_EQ(answer.outcome, each.outcome) << each.status << " " << each.content;
    EXPECT_EQ(answer.words, each.words);
  }
  const std::string lengthy = "{\"code\":1,\"msg\":\"" + std::string(10'000, 'x') + "\"}";
  EXPECT_LT(judge(Form::feishu, 200, lengthy).words.size(), 300U);
}

TEST(AlertMessage, takes_the_status_of_everybody_else_for_their_answer) {
  const std::pair<int, Outcome> cases[] = {
      {200, Outcome::sent},     {204, Outcome::sent},     {301, Outcome::rejected}, {400, Outcome::rejected},
      {401, Outcome::rejected}, {404, Outcome::rejected}, {408, Outcome::again},    {429, Outcome::again},
      {500, Outcome::again},    {503, Outcome::again},
  };
  for (const auto& [status, outcome] : cases) {
    const AlertAnswer answer = judge(Form::json, status, "whatever, also https://a.secret/hook");
    EXPECT_EQ(answer.outcome, outcome) << status;
    EXPECT_EQ(answer.words, "status " + std::to_string(status)) << "and nothing of its body";
  }
}

}  // namespace
}  // namespace rockdove::server
