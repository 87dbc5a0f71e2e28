#include "server/alerts.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "http/error_response.hpp"
#include "net/event.hpp"

#include <boost/asio/ip/host_name.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iterator>

namespace rockdove::server {
namespace {

constexpr std::chrono::milliseconds rarest_look{1000}, densest_look{100};

ops::Language language_of(const config::AlertsConfig& config) {
  return config.language == config::AlertsConfig::Language::zh ? ops::Language::zh : ops::Language::en;
}

ops::Alerts::Options alerts_options(const config::AlertsConfig& config) {
  ops::Alerts::Options options;
  options.agent_gone = config.agent_gone;
  options.settle = config.settle;
  options.repeat = config.repeat;
  return options;
}

ops::AgentWatch::Options watch_options(const config::AlertsConfig& config) {
  ops::AgentWatch::Options options;
  options.is_on = config.each_agent;
  options.known_after = config.agent_gone;
  return options;
}

AlertManner manner_of(const config::AlertsConfig& config) {
  boost::system::error_code error;
  const std::string host = net::asio::ip::host_name(error);
  return {config.rate, language_of(config), error ? "?" : printable(host, Lines::escape)};
}

/// Short times want to be seen in time.
std::chrono::milliseconds look_interval(const config::AlertsConfig& config) {
  return std::clamp(std::min(config.agent_gone, config.settle) / 4, densest_look, rarest_look);
}

http::Response json_answer(const boost::json::object& json) {
  return http::make_response(200, "application/json", boost::json::serialize(json) + "\n");
}

}  // namespace

/// A test of all receivers at once, shared by its tasks and whoever waits for them: any of these may end
/// first.
struct Alerts::Test {
  explicit Test(net::Executor executor, std::size_t count) : left(count), answers(count), news(executor) {}
  std::size_t left;
  std::vector<AlertAnswer> answers;
  net::Event news;
};

Alerts::Alerts(net::Executor executor, const config::AlertsConfig& config, const std::filesystem::path& data,
               AlertSender::Clock clock, Look look)
    : executor_(executor),
      config_(config),
      clock_(std::move(clock)),
      look_(std::move(look)),
      file_(executor, data / "alerts.json"),
      alerts_(alerts_options(config)),
      watch_(watch_options(config)),
      tasks_(executor, net::abort_on_error) {
  restore();
  use(make_senders(config));
}

ops::Moment Alerts::now() const {
  return {net::Clock::now(), clock_()};
}

void Alerts::restore() {
  const auto records = file_.load();
  alerts_.restore(records, now());
  for (const ops::Alerts::Firing& each : alerts_.firing())
    if (each.condition.kind == ops::AlertKind::agent_gone) {
      const auto age = std::max(now().wall - each.since, std::chrono::milliseconds(0));
      watch_.restore(each.condition.subject, now().steady - age);
    }
}

/// Those that stay the same are kept, with what waits for them.
Alerts::Senders Alerts::make_senders(const config::AlertsConfig& config) {
  const auto secrets = load_alert_secrets(config);
  Senders senders;
  for (std::size_t i = 0; i < config.to.size(); ++i) {
    AlertReceiver receiver{config.to[i], secrets[i]};
    const auto known = std::ranges::find_if(
        senders_, [&receiver](const SenderPtr& each) { return each->receiver() == receiver; });
    if (known != senders_.end()) senders.push_back(*known);
    else
      senders.push_back(
          std::make_shared<AlertSender>(executor_, std::move(receiver), manner_of(config), clock_,
                                        [this](const AlertMessage& message) { has_been_sent(message); }));
  }
  return senders;
}

void Alerts::use(Senders senders) {
  for (const SenderPtr& old : senders_) {
    if (std::ranges::find(senders, old) != senders.end()) continue;
    past_.sent += old->counters().sent;
    past_.rejected += old->counters().rejected;
    past_.dropped += old->counters().dropped;
    old->stop();
  }
  for (const SenderPtr& each : senders)
    if (is_running_ && std::ranges::find(senders_, each) == senders_.end())
      tasks_.spawn(AlertSender::run(each));
  senders_ = std::move(senders);
}

void Alerts::set_options(const config::AlertsConfig& config, Senders senders) {
  for (const SenderPtr& each : senders) each->set_manner(manner_of(config));
  use(std::move(senders));
  alerts_.set_options(alerts_options(config));
  watch_.set_options(watch_options(config));
  config_ = config;
}

Awaitable<void> Alerts::run() {
  is_running_ = true;
  for (const SenderPtr& each : senders_) tasks_.spawn(AlertSender::run(each));
  net::Timer timer(executor_);
  while (!stopping_) {
    timer.expires_after(look_interval(config_));
    co_await timer.async_wait(net::token);
    if (!stopping_) look();
  }
}

void Alerts::look() {
  Sight sight = look_();
  std::ranges::move(watch_.update(sight.agents, now().steady), std::back_inserter(sight.wrong));
  const auto notices = alerts_.update(sight.wrong, now(), !senders_.empty());
  for (const SenderPtr& each : senders_) each->offer(notices, net::Clock::now());
}

void Alerts::has_been_sent(const AlertMessage& message) {
  bool has_changed = false;
  for (const ops::Notice& each : message.notices) has_changed |= alerts_.delivered(each, clock_());
  if (has_changed) file_.save(alerts_.records());
}

void Alerts::stop() {
  stopping_ = true;
  for (const SenderPtr& each : senders_) each->stop();
}

Awaitable<Result<http::Response>> Alerts::handle(http::Request&& request) {
  const std::string id = request.context.request_id;
  const bool is_list = request.target == "/api/v1/alerts", is_test = request.target == "/api/v1/alerts/test";
  if (!is_list && !is_test) co_return Error::not_found;
  const char* const method = is_list ? "GET" : "POST";
  if (request.method != method) {
    auto refusal = http::error_response(405, "method_not_allowed", std::string("it takes ") + method, id);
    refusal.fields.add("Allow", method);
    co_return refusal;
  }
  if (is_list) co_return json_answer(to_json());
  if (senders_.empty())
    co_return http::error_response(
        409, "no_receiver", "the configuration names nobody: add an [[alerts.to]] and send SIGHUP", id);
  auto response = co_await test();
  co_return response;
}

Awaitable<http::Response> Alerts::test() {
  const Senders tested = senders_;
  const auto test = std::make_shared<Test>(executor_, tested.size());
  for (std::size_t i = 0; i < tested.size(); ++i) tasks_.spawn(test_one(test, tested[i], i));
  while (test->left > 0) co_await test->news.wait();
  boost::json::array results;
  for (std::size_t i = 0; i < tested.size(); ++i)
    results.push_back({{"name", tested[i]->receiver().target.name},
                       {"ok", test->answers[i].outcome == AlertAnswer::Outcome::sent},
                       {"answer", test->answers[i].words}});
  boost::json::object json;
  json["results"] = std::move(results);
  co_return json_answer(json);
}

Awaitable<void> Alerts::test_one(std::shared_ptr<Test> test, SenderPtr sender, std::size_t index) {
  AlertAnswer answer = co_await sender->test();
  test->answers[index] = std::move(answer);
  --test->left;
  test->news.notify();
}

boost::json::object Alerts::to_json() const {
  const ops::Language language = language_of(config_);
  boost::json::array firing, receivers;
  for (const ops::Alerts::Firing& each : alerts_.firing())
    firing.push_back({{"kind", ops::alert_kind_name(each.condition.kind)},
                      {"subject", each.condition.subject},
                      {"since", format_rfc3339(each.since)},
                      {"text", ops::condition_text(each.condition, language)}});
  AlertQueue::Counters all = past_;
  std::size_t waiting = 0;
  for (const SenderPtr& each : senders_) {
    all.sent += each->counters().sent;
    all.rejected += each->counters().rejected;
    all.dropped += each->counters().dropped;
    receivers.push_back(each->to_json());
    waiting += receivers.back().at("waiting").to_number<std::size_t>();
  }
  boost::json::object json;
  json["firing"] = std::move(firing);
  json["messages"] = {{"sent", all.sent}, {"rejected", all.rejected}, {"dropped", all.dropped}};
  json["waiting"] = waiting;
  json["receivers"] = std::move(receivers);
  return json;
}

}  // namespace rockdove::server
