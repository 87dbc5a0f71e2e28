// A bot's target and body on their way into a sign: what is sent says the same, and is what was signed.
#include "egress/lingxing_answer.hpp"
#include "egress/lingxing_call.hpp"

#include "base/text.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace {

using namespace rockdove;
using namespace rockdove::egress;
namespace json = boost::json;

void require(bool holds) {
  if (!holds) std::abort();
}

/// As the member takes part in the sign; nothing for numbers and what holds some, which a tree rounds.
std::optional<std::string> signed_value(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  if (value.is_null()) return "null";
  if (const auto* is_true = value.if_bool()) return *is_true ? "true" : "false";
  return std::nullopt;
}

/// Of one text the parser makes numbers that differ in their last bits, with what stands around; 0e310 is
/// NaN.
bool is_near(double a, double b) {
  return a == b || std::abs(a - b) <= std::abs(a) * 1e-12 || (std::isnan(a) && std::isnan(b));
}

/// Equal, in whatever order the members stand.
bool same(const json::value& a, const json::value& b) {
  if (a.is_double() && b.is_double()) return is_near(a.get_double(), b.get_double());
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), same);
  if (!a.is_object() || !b.is_object()) return a == b;
  if (a.get_object().size() != b.get_object().size()) return false;
  return std::ranges::all_of(a.get_object(), [&](const json::key_value_pair& each) {
    const json::value* other = b.get_object().if_contains(each.key());
    return other && same(each.value(), *other);
  });
}

http::Request request_of(std::string_view target, std::string_view content) {
  http::Request request;
  request.method = content.empty() ? "GET" : "POST";
  request.target = target;
  request.has_body = !content.empty();
  request.content = content;
  return request;
}

void check_body(std::string_view content) {
  const auto body = parse_lingxing_body(content);
  json::error_code error;
  const json::value tree = json::parse(content, error);
  if (!body) return;  // stricter than the parser: two members of one name
  require(!error && tree.is_object());
  require(is_utf8(body->text));
  require(same(json::parse(body->text), tree));
  const auto again = parse_lingxing_body(body->text);
  require(again && again->text == body->text && again->parameters == body->parameters);
  require(body->parameters.size() == tree.get_object().size());
  require(std::ranges::is_sorted(body->parameters, {}, &LingxingParameter::name));
  for (const LingxingParameter& each : body->parameters) {
    const json::value& member = tree.get_object().at(each.name);
    const auto wanted = signed_value(member);
    if (wanted) require(each.value == *wanted);
    // The text that is signed stands in the text that is sent.
    else
      require(body->text.find(":" + each.value) != std::string::npos &&
              same(json::parse(each.value), member));
  }
}

/// The parameters that a receiver of the request sees, without the common ones.
std::vector<LingxingParameter> received(const http::Request& sent, std::string_view common) {
  std::string target = sent.target;
  require(target.ends_with(common));
  target.resize(target.size() - common.size());
  require(target.ends_with('?') || target.ends_with('&'));
  target.pop_back();
  const auto call = lingxing_call(request_of(target, sent.content));
  const auto* parsed = std::get_if<LingxingCall>(&call);
  require(parsed);
  return parsed->parameters;
}

}  // namespace

/// Up to the first line break: the target. Then: the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view target = bytes.substr(0, bytes.find('\n'));
  const std::string_view content = bytes.substr(std::min(target.size() + 1, size));
  check_body(content);
  if (const auto answer = parse_lingxing_answer(content))
    require(answer->message.size() <= lingxing_message_max && is_utf8(answer->message));

  const auto checked = lingxing_call(request_of(target, content));
  const auto* call = std::get_if<LingxingCall>(&checked);
  if (!call) {
    const auto& refusal = std::get<LingxingRefusal>(checked);
    require(refusal.status >= 400 && is_utf8(refusal.message) && refusal.message.size() < 1000);
    return 0;
  }
  const LingxingCommon common{"ak_test123456789", "t+/&", std::chrono::sys_seconds(std::chrono::seconds(17))};
  const http::Request sent = lingxing_request(*call, common);
  require(sent.target.starts_with(target.substr(0, target.find('?'))));
  require(std::ranges::all_of(std::string_view(sent.target).substr(call->path.size()),
                              [](char c) { return c > ' ' && c < 127; }));
  require(received(sent, lingxing_common_query(call->parameters, common)) == call->parameters);
  require(sent.method == (content.empty() ? "GET" : "POST"));
  return 0;
}
