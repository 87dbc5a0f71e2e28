// The bot as a process: its parts, put together from a configuration.
#pragma once

#include "feishu-bot/bot.hpp"
#include "feishu-bot/config.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"

namespace rockdove::feishu_bot {

/// Loop thread only. run() must have returned before it is destroyed.
class Service {
 public:
  /// Listens from now on. Throws std::runtime_error if the address or the journal cannot be had.
  Service(net::Executor executor, const Config& config);

  /// Serves until stop(); then what has been acknowledged is answered, for at most 20 s. The rest is left to
  /// the next process.
  Awaitable<void> run();
  void stop();

  const net::Endpoint& endpoint() const { return listener_.endpoint(); }

 private:
  /// An API with the connections it is called over.
  struct Api {
    Api(net::Executor executor, const BaseUrl& url, net::Duration timeout);
    http::Client client;
    JsonApi json;
  };

  Awaitable<void> serve(net::TcpSocket socket);

  Api feishu_http_, lingxing_http_;
  FeishuApi feishu_;
  LingxingApi lingxing_;
  Commands commands_;
  Journal journal_;
  Replies replies_;
  Bot bot_;
  http::Server server_;
  net::Listener listener_;
  net::TaskGroup tasks_;
  net::Event stop_;
  bool stopping_ = false;
};

}  // namespace rockdove::feishu_bot
