#include "config/provider_config.hpp"

#include "providers/events.hpp"
#include "providers/verify.hpp"
#include "support/provider_vectors.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <set>

namespace rockdove::config {
namespace {

using namespace rockdove::providers;

constexpr WallTime now{std::chrono::seconds(1'700'000'000)};

std::string error_of(const std::string& text) {
  try {
    Section document = Section::parse(text, "s.toml");
    read_providers(document);
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

std::string error_in_check(const std::string& keys) {
  return error_of("[[provider]]\nname = 'x'\n[[provider.check]]\n" + keys);
}

const std::string sound = "algorithm = 'hmac-sha256'\nsignature = 'header:X'\nsigned = '${body}'\n";

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != text.npos;
}

TEST(ProviderConfig, the_programs_own_table_is_sound_and_has_distinct_names) {
  const Catalog catalog = builtin_providers();
  EXPECT_GE(catalog.all().size(), 25U);
  std::set<std::string> names;
  for (const Scheme& scheme : catalog.all()) {
    EXPECT_TRUE(names.insert(scheme.name).second) << scheme.name;
    EXPECT_NE(scheme.title, scheme.name);
    EXPECT_FALSE(secret_names(scheme).empty());
  }
}

TEST(ProviderConfig, an_operators_scheme_joins_or_replaces) {
  Section document =
      Section::parse("[[provider]]\nname = 'mine'\n[[provider.check]]\n" + sound +
                         "[[provider]]\nname = 'github'\ntitle = 'T'\n[[provider.check]]\n" + sound,
                     "s.toml");
  const Catalog catalog = read_providers(document);
  ASSERT_TRUE(catalog.find("mine"));
  EXPECT_EQ(catalog.find("github")->title, "T");
  EXPECT_EQ(catalog.all().size(), builtin_providers().all().size() + 1);
  EXPECT_EQ(catalog.find("nobody"), nullptr);
}

TEST(ProviderConfig, a_mistake_names_line_key_and_what_is_allowed) {
  const std::pair<std::string, std::vector<std::string>> cases[] = {
      {"algorithm = 'md5'\n", {"s.toml:4", "algorithm = \"md5\"", "\"hmac-sha256\"", "\"ed25519\""}},
      {sound + "signatur = 'x'\n", {"s.toml:7", "signatur", "did you mean \"signature\"?"}},
      {"algorithm = 'hmac-sha256'\nsignature = 'X-Sig'\n",
       {"s.toml:5", "signature = \"X-Sig\"", "header:NAME"}},
      {"algorithm = 'hmac-sha256'\nsignature = 'header:X'\nsigned = '${bdy}'\n",
       {"s.toml:6", "unknown hole \"${bdy}\"", "${body}"}},
      {"algorithm = 'sha1'\nsignature = 'header:X'\nsigned = '${body}'\n", {"s.toml:6", "${secret}"}},
      {sound + "when = 'json'\n", {"s.toml:7", "when = \"json\"", "PLACE = VALUE"}},
      {sound + "tolerance = '5 minutes'\n", {"s.toml:7", "tolerance", "duration"}},
      {sound + "tolerance = '5m'\n", {"s.toml:7", "needs timestamp"}},
      {sound + "timestamp = ['header:A', 'header:B']\n", {"s.toml:7", "one place"}},
      {sound + "encoding = 'base32'\n", {"s.toml:7", "\"hex\", \"base64\", \"text\""}},
      {"signature = 'header:X'\n", {"s.toml:3", "needs algorithm"}},
      {sound + "[[provider.check]]\n" + sound, {"s.toml:7", "name of its own"}},
      {sound + "[[provider.challenge]]\nreply = 'x'\n", {"s.toml:7", "needs when"}},
      {sound + "[[provider.challenge]]\nwhen = 'method = GET'\nreply = '${secret}'\n",
       {"s.toml:9", "${secret}"}},
      {sound + "[[provider.challenge]]\nwhen = 'method = GET'\nreply = 'x'\ntoken = 'json:/t'\n",
       {"s.toml:10", "go together"}},
      {sound + "unless = 'sekret'\n", {"s.toml:7", "unless = \"sekret\"", "secret"}},
      {sound + "instead_of = 'later'\n", {"s.toml:7", "instead_of = \"later\"", "an earlier check"}},
      {sound + "[[provider.event]]\ntolerance = 5\n", {"s.toml:8", "tolerance", "duration"}},
      {sound + "[provider.envelope]\nkind = 'wechat'\nat = 'json:/e'\nsecret = 'k'\nsigned_with = 't'\n"
               "[[provider.challenge]]\nwhen = 'encrypted'\nunsigned = true\nreply = 'x'\nsealed = true\n",
       {"s.toml:16", "unsigned challenge"}},
      {sound + "[provider.ack]\nsealed = true\n", {"s.toml:8", "kind = \"wechat\""}},
      {sound + "[provider.ack]\nstatus = 500\n", {"s.toml:8", "200 to 299"}},
      {sound + "[provider.envelope]\nkind = 'wechat-pay'\nat = 'opened:/e'\nsecret = 'k'\n",
       {"s.toml:9", "at = \"opened:/e\"", "in what came"}},
      {sound + "[provider.envelope]\nkind = 'feishu'\n", {"s.toml:8", "needs at"}},
      {sound + "[[provider.event]]\nid = '${body}'\n", {"s.toml:8", "${opened}"}},
  };
  for (const auto& [keys, words] : cases) {
    const std::string error = error_in_check(keys);
    for (const std::string& word : words) EXPECT_TRUE(has(error, word)) << keys << " gives: " << error;
  }
  EXPECT_TRUE(has(error_of("[[provider]]\nname = 'x'\n"), "needs at least one [[provider.check]]"));
  EXPECT_TRUE(has(error_of("[[provider]]\ntitle = 'x'\n"), "needs name"));
  EXPECT_TRUE(has(error_of("[[provider]]\nname = 'a b'\n"), "a name is 1 to 63"));
  EXPECT_EQ(error_in_check(sound), "");
}

/// A request to a provider of the program's own table.
struct Asked {
  std::string provider, method = "POST", url = "https://example.com/in", body;
  std::vector<std::pair<std::string, std::string>> secrets;
};

std::string answer_to(const Asked& asked) {
  static const Catalog catalog = builtin_providers();
  Secrets secrets;
  for (const auto& [name, value] : asked.secrets) secrets.add(name, value);
  const http::Fields fields;
  const Message message(*catalog.find(asked.provider), secrets,
                        {asked.method, asked.url, fields, asked.body});
  const Verdict verdict = verify(message, now);
  if (!verdict.accepted()) return std::string(outcome_name(verdict.outcome));
  const auto answer = challenge_answer(message, now);
  return answer ? answer->body : "(none)";
}

TEST(Challenges, feishus_is_answered_plain_and_sealed_without_a_signature) {
  const std::string plain = test::provider_text("feishu_challenge");
  const std::string sealed = test::provider_text("feishu_sealed_challenge");
  const std::string right = R"({"challenge":"ajls384kdjx98XX"})";
  const auto ask = [](const std::string& body, decltype(Asked::secrets) secrets) {
    return answer_to({"feishu", "POST", "https://example.com/in", body, std::move(secrets)});
  };
  EXPECT_EQ(ask(plain, {}), right);
  EXPECT_EQ(ask(plain, {{"verification_token", "vtoken"}}), right);
  EXPECT_EQ(ask(plain, {{"verification_token", "other"}}), "mismatch");
  EXPECT_EQ(ask(plain, {{"encrypt_key", "ekey"}}), right);
  EXPECT_EQ(ask(sealed, {{"encrypt_key", "ekey"}}), right);
  EXPECT_EQ(ask(sealed, {{"encrypt_key", "ekey"}, {"verification_token", "vtoken"}}), right);
  EXPECT_EQ(ask(sealed, {{"encrypt_key", "ekey"}, {"verification_token", "other"}}), "mismatch");
  // Whether it opened is nobody's business who did not sign.
  EXPECT_EQ(ask(sealed, {{"encrypt_key", "wrong"}}), "missing");
  EXPECT_EQ(ask(sealed, {{"verification_token", "vtoken"}}), "no_secret");
}

TEST(Challenges, what_only_looks_like_feishus_needs_a_signature) {
  const auto ask = [](const std::string& body) {
    return answer_to({"feishu", "POST", "https://example.com/in", body, {{"encrypt_key", "ekey"}}});
  };
  EXPECT_EQ(ask(R"({"type":"url_verification"})"), "no_secret");
  EXPECT_EQ(ask(R"({"type":"url_verification","challenge":""})"), "no_secret");
  EXPECT_EQ(ask(R"({"type":"url_verification","challenge":{"a":1}})"), "no_secret");
  EXPECT_EQ(ask(R"({"type":"url_verification","challenge":"x","schema":"2.0"})"), "missing");
  EXPECT_EQ(ask(R"({"type":"url_verification","challenge":"\"}\n<飞>"})"), R"({"challenge":"\"}\n<飞>"})");
}

TEST(Challenges, signed_ones_are_answered_only_when_signed) {
  EXPECT_EQ(answer_to({"discord", "POST", "", R"({"type":1})", {}}), R"({"type":1})");
  EXPECT_EQ(answer_to({"discord", "POST", "", R"({"type":1})", {{"public_key", std::string(64, '1')}}}),
            "missing");
  EXPECT_EQ(answer_to({"discord", "POST", "", R"({"type":2})", {}}), "(none)");
  const std::string slack = R"({"token":"t","challenge":"3eZbrw1a","type":"url_verification"})";
  EXPECT_EQ(answer_to({"slack", "POST", "", slack, {}}), R"({"challenge":"3eZbrw1a"})");
  EXPECT_EQ(answer_to({"slack", "POST", "", slack, {{"secret", "s"}}}), "missing");
}

const std::vector<std::pair<std::string, std::string>> wechat_secrets{
    {"token", "QDG6eK"}, {"aes_key", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}};

const std::string wechat_sealed =
    "Q3stYC6hdFzMh9T8HCvyDH/Drtzbv0B4Zmr1SNRkeaeU5pHfH/Qd7OJoEgb4ly3nDZKLO4T40hYWorkh+AbxyQ==";

std::string query_coded(std::string base64) {
  for (std::size_t at = 0; (at = base64.find('+', at)) != base64.npos; at += 3) base64.replace(at, 1, "%2B");
  return base64;
}

std::string wechat_url(const std::string& sealed, const std::string& more) {
  return "https://example.com/in?msg_signature=" + sign_wechat("QDG6eK", "1700000000", "nonce1", sealed) +
         "&timestamp=1700000000&nonce=nonce1" + more;
}

TEST(Challenges, wecoms_echostr_is_opened_and_wechats_returned) {
  const std::string coded = query_coded(wechat_sealed);
  const std::string url = wechat_url(wechat_sealed, "&echostr=" + coded);
  EXPECT_EQ(answer_to({"wecom", "GET", url, "", wechat_secrets}), "hello");
  EXPECT_EQ(answer_to({"wecom", "GET", wechat_url("x", "&echostr=" + coded), "", wechat_secrets}),
            "mismatch");
  auto elsewhere = wechat_secrets;
  elsewhere.emplace_back("receiver", "wx_another");
  EXPECT_EQ(answer_to({"wecom", "GET", url, "", elsewhere}), "undecipherable");
  EXPECT_EQ(answer_to({"wechat-mp",
                       "GET",
                       "https://example.com/in?signature=8633893fb43e07cf18bde4ef3cc3af60cad003d3"
                       "&timestamp=1700000000&nonce=n1&echostr=4711",
                       "",
                       {{"token", "tok"}}}),
            "4711");
}

TEST(Downgrades, a_captured_message_is_not_opened_as_an_echostr) {
  const auto echo = [](const std::string& text) {
    const auto sealed = seal_wechat(wechat_secrets[1].second, text, "wx1");
    return answer_to(
        {"wecom", "GET", wechat_url(*sealed, "&echostr=" + query_coded(*sealed)), "", wechat_secrets});
  };
  for (const std::string& text :
       {std::string("1616140317555161061"), std::string("aZ09+/=_.~-"), std::string(echo_bytes_max, 'x')})
    EXPECT_EQ(echo(text), text);
  for (const std::string& text :
       {std::string("<xml><MsgType>text</MsgType></xml>"), std::string(R"({"msgid":"1"})"), std::string("{}"),
        std::string("<"), std::string("a b"), std::string("密"), std::string(1, '\0'),
        std::string(echo_bytes_max + 1, 'x'), std::string()})
    EXPECT_EQ(echo(text), "unrecognised") << text;
}

TEST(Downgrades, an_echostr_proves_no_body_beside_it) {
  const std::string echo = wechat_url(wechat_sealed, "&echostr=" + query_coded(wechat_sealed));
  EXPECT_EQ(answer_to({"wecom", "POST", echo, "<xml><MsgType>forged</MsgType></xml>", wechat_secrets}),
            "unrecognised");
  const std::string body = "<xml><Encrypt>" + wechat_sealed + "</Encrypt></xml>";
  EXPECT_EQ(answer_to({"wecom", "POST", wechat_url(wechat_sealed, ""), body, wechat_secrets}), "(none)");
  EXPECT_EQ(answer_to({"wecom", "POST", echo, body, wechat_secrets}), "unrecognised");
}

TEST(Downgrades, a_plain_signature_proves_nothing_where_messages_come_sealed) {
  const std::string url =
      "https://example.com/in?signature=8633893fb43e07cf18bde4ef3cc3af60cad003d3"
      "&timestamp=1700000000&nonce=n1";
  const std::string body = "<xml><MsgType>text</MsgType></xml>";
  const std::pair<std::string, std::string> token{"token", "tok"}, key{"aes_key", wechat_secrets[1].second};
  EXPECT_EQ(answer_to({"wechat-mp", "POST", url, body, {token}}), "(none)");
  EXPECT_EQ(answer_to({"wechat-mp", "POST", url, body, {token, key}}), "unrecognised");
  EXPECT_EQ(answer_to({"wechat-mp", "GET", url + "&echostr=4711", "", {token, key}}), "4711");
  // The signature of an echostr is for the answer to it.
  for (const auto& secrets : {std::vector{token}, std::vector{token, key}}) {
    EXPECT_EQ(answer_to({"wechat-mp", "GET", url + "&echostr=", body, secrets}), "unrecognised");
    EXPECT_EQ(answer_to({"wechat-mp", "POST", url + "&echostr=4711", body, secrets}), "unrecognised");
  }
}

TEST(Challenges, dingtalks_gets_a_sealed_success) {
  const auto sealed = seal_wechat(wechat_secrets[1].second, R"({"EventType":"check_url"})", "ding123");
  ASSERT_TRUE(sealed);
  const std::string body = R"({"encrypt":")" + *sealed + R"("})";
  const auto answer =
      boost::json::parse(answer_to({"dingtalk", "POST", wechat_url(*sealed, ""), body, wechat_secrets}));
  const auto text = [&](const char* key) { return std::string(answer.at(key).as_string()); };
  EXPECT_EQ(text("timeStamp"), "1700000000");
  EXPECT_EQ(text("msg_signature"), sign_wechat("QDG6eK", "1700000000", text("nonce"), text("encrypt")));
  const auto opened = open_envelope(Envelope::Kind::wechat, wechat_secrets[1].second, text("encrypt"), {});
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->text, "success");
  EXPECT_EQ(opened->receiver, "ding123");
}

TEST(Challenges, an_answer_is_sealed_with_the_key_that_the_question_was_sealed_with) {
  const std::string old_key(43, 'a'), new_key(43, 'b');
  const std::vector<std::pair<std::string, std::string>> both{
      {"token", "old"}, {"token", "QDG6eK"}, {"aes_key", old_key}, {"aes_key", new_key}};
  const auto sealed = seal_wechat(new_key, R"({"EventType":"check_url"})", "ding123");
  const std::string body = R"({"encrypt":")" + *sealed + R"("})";
  const std::string url = wechat_url(*sealed, "");
  const auto answer = boost::json::parse(answer_to({"dingtalk", "POST", url, body, both}));
  const auto text = [&](const char* key) { return std::string(answer.at(key).as_string()); };
  EXPECT_EQ(text("msg_signature"), sign_wechat("QDG6eK", "1700000000", text("nonce"), text("encrypt")));
  EXPECT_TRUE(open_envelope(Envelope::Kind::wechat, new_key, text("encrypt"), {}));
  EXPECT_FALSE(open_envelope(Envelope::Kind::wechat, old_key, text("encrypt"), {}));
}

Facts facts_of(const std::string& provider, const std::string& body, const std::string& field = "X") {
  static const Catalog catalog = builtin_providers();
  const Secrets none;
  http::Fields fields;
  fields.add(field, "v");
  return read_facts(Message(*catalog.find(provider), none, {"POST", "https://example.com/", fields, body}));
}

TEST(Facts, feishus_events_say_what_they_are) {
  Facts facts =
      facts_of("feishu", R"({"schema":"2.0","header":{"event_id":"e1","event_type":"im.message.receive_v1",)"
                         R"("app_id":"cli_x","token":"t"},"event":{"message":{"chat_id":"oc_1"}}})");
  EXPECT_EQ(facts.id + " " + facts.type + " " + facts.app + " " + facts.chat,
            "e1 im.message.receive_v1 cli_x oc_1");
  EXPECT_FALSE(facts.synchronous);

  facts =
      facts_of("feishu", R"({"schema":"2.0","header":{"event_id":"e2","event_type":"card.action.trigger"},)"
                         R"("event":{"context":{"open_chat_id":"oc_2"}}})");
  EXPECT_EQ(facts.id + " " + facts.chat, "e2 oc_2");
  EXPECT_TRUE(facts.synchronous);

  facts = facts_of("feishu", R"({"open_message_id":"om_1","token":"c-1","action":{"tag":"button"}})");
  EXPECT_EQ(facts.id + " " + facts.type, "c-1 card.action.trigger_v1");
  EXPECT_TRUE(facts.synchronous);

  // The token of an event is the same for all of them: it must not become an id.
  EXPECT_EQ(facts_of("feishu", R"({"token":"vtoken","type":"event_callback","event":{}})").id, "");
}

TEST(Facts, a_batch_of_lines_is_all_of_its_events) {
  const auto facts = [](const std::string& events) {
    const Facts found = facts_of("line", R"({"destination":"U0","events":[)" + events + "]}");
    return found.id + " " + found.type + " " + found.chat;
  };
  const std::string first = R"({"webhookEventId":"01A","type":"message","source":{"userId":"U1"}})";
  const std::string second = R"({"webhookEventId":"01B","type":"message","source":{"userId":"U1"}})";
  const std::string other = R"({"webhookEventId":"01C","type":"follow","source":{"userId":"U2"}})";
  EXPECT_EQ(facts(first), "01A message U1");
  EXPECT_EQ(facts(first + "," + second), "01A,01B message U1") << "not taken for the first alone";
  EXPECT_EQ(facts(first + "," + other), "01A,01C  U1") << "of no one type, so that every target gets it";
  EXPECT_EQ(facts(first + R"(,{"type":"message"})"), " message U1");
  EXPECT_EQ(facts(""), "  ");
}

TEST(Facts, what_has_no_id_is_known_again_by_its_ciphertext) {
  const Secrets none;
  const http::Fields fields;
  for (const char* provider : {"dingtalk", "wecom", "wechat-mp"}) {
    const std::string key = provider == std::string("wechat-mp") ? "Encrypt" : "encrypt";
    const std::string body = "{\"" + key + "\":\"AAAA\"}";
    EXPECT_EQ(read_facts(Message(*builtin_providers().find(provider), none, {"POST", "", fields, body})).id,
              "AAAA")
        << provider;
  }
}

TEST(Facts, a_long_one_is_its_digest_and_a_missing_one_is_empty) {
  const std::string id(fact_bytes_max + 1, 'x');
  EXPECT_EQ(facts_of("stripe", "{\"id\":\"" + id + "\"}").id.size(), 64U);
  EXPECT_EQ(facts_of("stripe", "{\"id\":\"" + id.substr(1) + "\"}").id, id.substr(1));
  EXPECT_EQ(facts_of("stripe", "{}").id, "");
  EXPECT_EQ(facts_of("stripe", "not JSON").id, "");
  EXPECT_EQ(facts_of("github", "", "x-github-delivery").id, "v");
  EXPECT_EQ(
      facts_of("wecom", "<xml><FromUserName>u</FromUserName><CreateTime>1</CreateTime><Event>e</Event></xml>")
          .id,
      "")
      << "others of the same second would be taken for it";
}

TEST(Facts, what_wechat_pay_seals_is_opened) {
  static const Catalog catalog = builtin_providers();
  Secrets secrets;
  secrets.add("api_v3_key", "0123456789abcdef0123456789abcdef");
  const http::Fields fields;
  const std::string body =
      R"({"id":"w1","event_type":"TRANSACTION.SUCCESS","resource":{"nonce":"abcdefghijkl",)"
      R"("associated_data":"transaction","ciphertext":"Eu6onfHUEIuHuUJ2U2443mIzhnIIlMg="}})";
  const RequestView view{"POST", "https://example.com/", fields, body};
  const Message message(*catalog.find("wechat-pay"), secrets, view);
  EXPECT_EQ(message.text(), R"({"a":1})");
  EXPECT_EQ(read_facts(message).id, "w1");
}

}  // namespace
}  // namespace rockdove::config
