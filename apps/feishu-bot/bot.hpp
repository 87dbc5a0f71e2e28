// The bot's two pages: /health for people and agents, /feishu/webhook for Feishu.
#pragma once

#include "feishu-bot/commands.hpp"
#include "feishu-bot/journal.hpp"
#include "feishu-bot/messages.hpp"
#include "feishu-bot/replies.hpp"
#include "feishu-bot/seen.hpp"
#include "http/handler.hpp"
#include "net/task_group.hpp"
#include "providers/scheme.hpp"
#include "providers/secrets.hpp"

#include <deque>
#include <string>
#include <vector>

namespace rockdove::feishu_bot {

/// Checks what Feishu sends, notes it in the journal, acknowledges it, and does the work afterwards: Feishu
/// waits 1 s for the answer to a challenge and 3 s for others. Loop thread only. cancel() must have returned
/// before it is destroyed.
class Bot final : public http::Handler {
 public:
  struct Options {
    providers::Scheme scheme;          ///< the built-in "feishu"
    providers::Secrets secrets;        ///< encrypt_key, verification_token; none: nothing is checked
    std::vector<std::string> missing;  ///< settings without which nobody can be answered
    std::size_t body_bytes = 1024 * 1024;
    std::size_t works_max = 100;  ///< events being worked on; more get 503, and Feishu sends them again
    int resumed = 4;              ///< that resume() works on at a time
    Seen::Options seen;
  };

  /// `commands`, `replies` and `journal` must outlive it.
  Bot(net::Executor executor, Commands& commands, Replies& replies, Journal& journal, Options options);

  /// Takes up what earlier processes have acknowledged and not answered. To be called once, at the start.
  /// Throws std::runtime_error if the journal cannot be written.
  void resume();

  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  /// Waits until all events are worked on, at most `limit`.
  Awaitable<void> drain(net::Duration limit);
  Awaitable<void> cancel();

 private:
  struct Counters {
    std::uint64_t events = 0, repeated = 0, ignored = 0, refused = 0;
  };

  http::Response answer(const http::Request& request);
  http::Response take_event(const http::Request& request, const std::string& event_id,
                            std::optional<Ask> ask);
  http::Response take_press(const std::string& event_id, std::optional<Ask> ask);
  Result<void> begin(const std::string& event_id, Ask ask);
  bool is_known(const Journal::Entry& entry) const;
  void remember(const Journal::Entry& entry);
  Awaitable<void> work(Journal::Entry entry);
  Awaitable<void> work_off();
  http::Response health() const;

  Commands& commands_;
  Replies& replies_;
  Journal& journal_;
  const Options options_;
  const net::Clock::time_point started_ = net::Clock::now();
  Counters counters_;
  Seen seen_;
  std::deque<Journal::Entry> left_;  // of what resume() has taken up
  net::TaskGroup works_;
};

}  // namespace rockdove::feishu_bot
