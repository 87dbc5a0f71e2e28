#include "feishu-bot/bot.hpp"

#include "feishu-bot/cards.hpp"
#include "feishu-bot/json.hpp"
#include "http/error_response.hpp"
#include "net/crypto.hpp"
#include "net/log.hpp"
#include "providers/events.hpp"
#include "providers/verify.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

namespace rockdove::feishu_bot {
namespace {

http::Response json(int status, std::string text) {
  return http::make_response(status, "application/json; charset=utf-8", std::move(text));
}

/// All that Feishu looks at is the status.
http::Response acknowledged() {
  return json(200, "{}");
}

http::Response refused(int status, std::string_view cause, std::string_view why,
                       const http::Request& request) {
  log::warn("bot", "an event is refused with {}: {}", status, why);
  return http::error_response(status, cause, why, request.context.request_id);
}

providers::WallTime wall_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// At most 50 bytes, and the same each time the event is delivered.
std::string uuid_of(std::string_view event_id) {
  return "rockdove-" + net::hex(net::sha256(event_id)).substr(0, 32);
}

/// What rockdove delivers was judged by its age at the edge, and may have lain in the inbox for days.
Bot::Options without_ages(Bot::Options options) {
  for (providers::Check& check : options.scheme.checks) check.tolerance.reset();
  for (providers::EventRule& event : options.scheme.events) event.tolerance.reset();
  return options;
}

}  // namespace

Bot::Bot(net::Executor executor, Commands& commands, Replies& replies, Journal& journal, Options options)
    : commands_(commands),
      replies_(replies),
      journal_(journal),
      options_(without_ages(std::move(options))),
      seen_(options_.seen),
      works_(executor, net::abort_on_error) {}

void Bot::resume() {
  if (!options_.missing.empty()) return;  // nobody can be answered: a later process may
  for (Journal::Entry& entry : journal_.take_up()) {
    remember(entry);
    left_.push_back(std::move(entry));
  }
  if (left_.empty()) return;
  log::info("bot", "{} questions that were acknowledged and not answered are taken up again", left_.size());
  for (int i = 0; i < options_.resumed; ++i) works_.spawn(work_off());
}

Awaitable<Result<http::Response>> Bot::handle(http::Request&& request) {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  if (path == "/health" && is_get) co_return health();
  if (path != "/feishu/webhook") co_return Error::not_found;
  if (request.method != "POST")
    co_return http::error_response(405, "method_not_allowed", "Feishu sends events by POST",
                                   request.context.request_id);
  auto read = co_await http::read_all(request, options_.body_bytes);
  if (!read) co_return read.error();
  co_return answer(request);
}

/// What is to be said to a whole request.
http::Response Bot::answer(const http::Request& request) {
  const providers::RequestView view{request.method, request.target, request.fields, request.content};
  const providers::Message message(options_.scheme, options_.secrets, view);
  const auto now = wall_time();
  const auto verdict = providers::verify(message, now);
  if (!verdict.accepted()) {
    ++counters_.refused;
    return refused(401, "unauthorized", providers::explain(verdict), request);
  }
  if (auto challenge = providers::challenge_answer(message, now)) {
    log::info("bot", "a challenge is answered: the request URL is being saved at Feishu");
    return json(challenge->status, std::move(challenge->body));
  }
  const auto event = parse_json(message.text());
  if (!event) {
    ++counters_.refused;
    const bool needs_key = message.encrypted() && !options_.secrets.has("encrypt_key");
    return refused(400, "malformed", needs_key ? "it is encrypted: set encrypt_key" : "it is no JSON",
                   request);
  }
  ++counters_.events;
  const auto facts = providers::read_facts(message);
  if (facts.synchronous) return take_press(facts.id, read_card_action(*event));
  if (!options_.missing
           .empty())  // stays at Feishu, or in rockdove's inbox, until there is somebody to take it
    return refused(503, "unavailable", "app_id or app_secret is not set: see /health", request);
  if (works_.size() >= options_.works_max)
    return refused(503, "queue_full", "too many events are being worked on", request);
  return take_event(request, facts.id,
                    facts.type == "im.message.receive_v1" ? read_message(*event) : std::nullopt);
}

/// Acknowledges at once, whatever it is: another status than 200 has Feishu send it again.
http::Response Bot::take_event(const http::Request& request, const std::string& event_id,
                               std::optional<Ask> ask) {
  if (!ask) {
    ++counters_.ignored;
    return acknowledged();
  }
  const auto begun = begin(event_id, std::move(*ask));
  if (begun) return acknowledged();
  return refused(503, "unavailable", "the event cannot be noted: " + begun.error().message(), request);
}

/// A button: Feishu shows the answer to whoever pressed it, and never sends the event again.
http::Response Bot::take_press(const std::string& event_id, std::optional<Ask> ask) {
  if (!ask) {
    ++counters_.ignored;
    return acknowledged();
  }
  if (!options_.missing.empty()) return json(200, toast("error", "机器人还没有配置好，请联系管理员。"));
  if (works_.size() >= options_.works_max) return json(200, toast("warning", "现在有点忙，请稍后再试。"));
  const auto promised = promise(parse_command(ask->text));
  const auto begun = begin(event_id, std::move(*ask));
  if (begun) return json(200, toast("info", promised));
  log::warn("bot", "a press of a button cannot be noted: {}", begun.error().message());
  return json(200, toast("warning", "现在有点忙，请稍后再试。"));
}

/// Starts the work, unless it has been started before: deliveries are repeated, now and then also with
/// another event id. Whoever acknowledges an event has it in the journal first.
Result<void> Bot::begin(const std::string& event_id, Ask ask) {
  std::string id = event_id.empty() ? ask.message_id : event_id;
  Journal::Entry entry{std::move(id), std::move(ask)};
  if (is_known(entry)) {
    ++counters_.repeated;
    return {};
  }
  if (auto noted = journal_.add(entry); !noted) return noted.error();
  remember(entry);
  works_.spawn(work(std::move(entry)));
  return {};
}

/// Several presses may be about one message; what somebody wrote is one event.
bool Bot::is_known(const Journal::Entry& entry) const {
  const auto now = net::Clock::now();
  const bool is_message = entry.ask.from == Ask::From::message;
  return seen_.has("event " + entry.event, now) ||
         (is_message && seen_.has("message " + entry.ask.message_id, now));
}

void Bot::remember(const Journal::Entry& entry) {
  const auto now = net::Clock::now();
  seen_.add("event " + entry.event, now);
  if (entry.ask.from == Ask::From::message) seen_.add("message " + entry.ask.message_id, now);
}

Awaitable<void> Bot::work(Journal::Entry entry) {
  auto command = parse_command(entry.ask.text);
  auto message = co_await commands_.run(std::move(command));
  Reply reply;
  reply.chat_id = entry.ask.chat_id.empty() ? entry.ask.message_id : entry.ask.chat_id;
  reply.message_id = std::move(entry.ask.message_id);
  reply.uuid = uuid_of(entry.event);
  reply.message = std::move(message);
  reply.on_end = [this, event = entry.event] { journal_.done(event); };
  if (replies_.send(reply)) co_return;
  log::warn("bot", "no reply to {}: too many wait already", reply.message_id);
  journal_.done(entry.event);
}

Awaitable<void> Bot::work_off() {
  while (!left_.empty()) {
    Journal::Entry next = std::move(left_.front());
    left_.pop_front();
    co_await work(std::move(next));
  }
}

http::Response Bot::health() const {
  boost::json::object health;
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(net::Clock::now() - started_);
  health["status"] = options_.missing.empty() ? "ok" : "incomplete";
  health["service"] = "rockdove-feishu-bot";
  health["version"] = ROCKDOVE_VERSION;
  health["uptime_s"] = uptime.count();
  health["missing"] = boost::json::array(options_.missing.begin(), options_.missing.end());
  health["checked"] = !options_.secrets.empty();
  health["events"] = {{"received", counters_.events}, {"repeated", counters_.repeated},
                      {"ignored", counters_.ignored}, {"refused", counters_.refused},
                      {"working", works_.size()},     {"unanswered", journal_.open()}};
  const auto& replies = replies_.counters();
  health["replies"] = {{"sent", replies.sent}, {"failed", replies.failed}, {"waiting", replies.waiting}};
  return json(200, boost::json::serialize(health) + "\n");
}

Awaitable<void> Bot::drain(net::Duration limit) {
  co_await works_.join_for(limit);
}

Awaitable<void> Bot::cancel() {
  works_.cancel();
  co_await works_.join();
}

}  // namespace rockdove::feishu_bot
