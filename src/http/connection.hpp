// One caller's connection: request after request until either side has had enough.
#pragma once

#include "http/server.hpp"
#include "http/wire.hpp"
#include "http/wire_body.hpp"
#include "net/event.hpp"
#include "net/task_group.hpp"

#include <optional>

namespace rockdove::http {

class Connection {
 public:
  Connection(Server& server, net::Stream stream);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Serves the connection until it ends. Cancel to drop it.
  Awaitable<void> run();
  /// Ends the connection if no exchange is under way; one that is young, or was answered just now, only when
  /// its time to bring a request is over.
  void end_if_idle();
  /// Has brought no request yet, or has that time.
  bool is_awaited() const { return is_first_ || last_wait_; }

 private:
  Awaitable<void> serve();
  Awaitable<Result<RequestHead>> read_head();
  Awaitable<void> exchange(RequestHead& head);
  Awaitable<Result<void>> gather(Request& request, std::size_t size);
  Request make_request(RequestHead&& head);
  std::unique_ptr<Body> make_body(const RequestHead& head);
  Awaitable<void> answer(Response& response);
  Awaitable<void> finish();
  Awaitable<void> reject(boost::system::error_code error);
  std::string write_head(const Response& response, bool chunked, bool needs_length);
  static std::string interim(int status, const Fields& fields);
  Awaitable<void> wait_for_body_end();
  void end_wait();

  /// What the answer depends on of the request it belongs to.
  struct Current {
    std::string upgrade;
    bool is_head = false;
    bool is_http10 = false;
    bool keep_alive = true;
    bool is_switched = false;
    std::shared_ptr<bool> wants_continue;  ///< `Expect: 100-continue`: true until 100 has been sent
  };

  /// How far the request's body has come; shared with the body, which may outlive the connection.
  struct Incoming {
    explicit Incoming(const net::Executor& executor) : ended(executor) {}
    bool open = true;
    bool whole = false;      // read to its end: what follows it is the next request
    std::uint64_t size = 0;  // bytes, once it is not open
    net::Event ended;
  };

  Server& server_;
  const std::shared_ptr<Wire> wire_;
  Current current_;
  Record record_;
  std::shared_ptr<Incoming> incoming_;  // null: the request's body is whole, or there is none
  std::list<Connection*>::iterator place_;
  net::TaskGroup group_;  // one task, serve(): so that a caller's going away can cancel it
  net::Clock::time_point idle_since_ = net::Clock::now();
  std::optional<net::Deadline> last_wait_;  // while the server drains
  bool is_idle_ = true;
  bool is_first_ = true;  // until its first request goes to the handler, or is refused
};

}  // namespace rockdove::http
