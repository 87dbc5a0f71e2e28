#include "feishu-bot/service.hpp"

#include "config/provider_config.hpp"
#include "net/log.hpp"

#include <utility>

namespace rockdove::feishu_bot {
namespace {

constexpr std::chrono::seconds feishu_timeout{10};
constexpr std::chrono::seconds lingxing_timeout{
    280};                                     // the server gives up after 130 in line and 130 of waiting
constexpr std::chrono::seconds patience{10};  // at the end, for the work, and again for its replies

BaseUrl url_of(const std::string& text) {
  return parse_base_url(text).value();  // the configuration has been checked
}

http::Client::Options client_options(const BaseUrl& url) {
  http::Client::Options options;
  options.address = url.address;
  options.tls = url.tls;
  options.connections = 32;
  options.idle_timeout = std::chrono::seconds(30);
  return options;
}

FeishuApi::Options feishu_options(const Config& config) {
  FeishuApi::Options options;
  options.app_id = config.app_id;
  options.app_secret = config.app_secret;
  return options;
}

Bot::Options bot_options(const Config& config) {
  Bot::Options options;
  options.scheme = *config::builtin_providers().find("feishu");
  if (!config.encrypt_key.empty()) options.secrets.add("encrypt_key", config.encrypt_key);
  if (!config.verification_token.empty())
    options.secrets.add("verification_token", config.verification_token);
  options.missing = missing_settings(config);
  return options;
}

Journal::Options journal_options(const Config& config) {
  Journal::Options options;
  options.path = config.journal;
  return options;
}

Commands::WallTime wall_time() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

Service::Api::Api(net::Executor executor, const BaseUrl& url, net::Duration timeout)
    : client(executor, client_options(url)), json(client, {url.prefix, timeout}) {}

Service::Service(net::Executor executor, const Config& config)
    : feishu_http_(executor, url_of(config.feishu_url), feishu_timeout),
      lingxing_http_(executor, url_of(config.lingxing_url), lingxing_timeout),
      feishu_(executor, feishu_http_.json, feishu_options(config)),
      lingxing_(lingxing_http_.json, {}),
      commands_(lingxing_, wall_time),
      journal_(journal_options(config)),
      replies_(executor, feishu_, {}),
      bot_(executor, commands_, replies_, journal_, bot_options(config)),
      server_(bot_, {}),
      listener_(executor, net::parse_listen_address(config.listen).value(), {},
                [this](net::TcpSocket socket) { return serve(std::move(socket)); }),
      tasks_(executor, net::abort_on_error),
      stop_(executor) {
  bot_.resume();
}

Awaitable<void> Service::serve(net::TcpSocket socket) {
  net::Stream stream(std::move(socket));
  co_await server_.serve(std::move(stream));
}

Awaitable<void> Service::run() {
  tasks_.spawn(listener_.run());
  while (!stopping_) co_await stop_.wait();
  // 1. No new events; those under way are acknowledged.
  listener_.stop();
  server_.drain();
  co_await listener_.drain(std::chrono::seconds(2));
  co_await listener_.cancel();
  // 2. What has been acknowledged is worked on and answered.
  co_await bot_.drain(patience);
  co_await replies_.drain(patience);
  co_await bot_.cancel();
  co_await replies_.cancel();
  if (journal_.open() > 0) log::warn("bot", "{} questions are left to the next start", journal_.open());
  tasks_.cancel();
  co_await tasks_.join();
  co_await feishu_http_.client.close();
  co_await lingxing_http_.client.close();
}

void Service::stop() {
  stopping_ = true;
  stop_.notify();
}

}  // namespace rockdove::feishu_bot
