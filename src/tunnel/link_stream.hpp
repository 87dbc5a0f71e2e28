// One exchange on a link, as the link's coroutines share it.
#pragma once

#include "http/message.hpp"
#include "net/deadline.hpp"
#include "net/event.hpp"
#include "net/task_group.hpp"
#include "tunnel/h2.hpp"

#include <optional>

namespace rockdove::tunnel {

struct LinkStream final : H2Stream {
  LinkStream(const net::Executor& executor, net::Deadlines& deadlines)
      : inbound_news(executor), outbound_news(executor), limit(deadlines, [this] {
          timed_out = true;
          inbound_news.notify();
        }) {}

  net::Event inbound_news;     ///< the reader of what arrives waits here
  net::Event outbound_news;    ///< the sender of the body waits here
  net::Deadline limit;         ///< for the reader: the head's, then each body piece's
  net::Duration head_limit{};  ///< restarted by every piece of the request that goes out
  std::string content;         ///< the first bytes of the outgoing body
  bool timed_out = false;
  bool link_lost = false;            ///< the link ended first
  std::unique_ptr<http::Body> body;  ///< the rest of it, until all has been sent
  bool go = false;                   ///< a body announced by `Expect: 100-continue` is wanted
  bool answered = false;             ///< the final response's head is here
  bool body_touched = false;         ///< bytes of a streaming body have been taken: it cannot be sent again
  boost::system::error_code sender_error;  ///< the outgoing body broke: reported in place of an answer
  std::optional<net::TaskGroup::Task> server_task;  ///< answers this stream, while it runs
};

}  // namespace rockdove::tunnel
