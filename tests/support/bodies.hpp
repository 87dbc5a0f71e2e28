// Handlers made of functions, bodies that a test feeds, and answers as one line of text.
#pragma once

#include "http/handler.hpp"
#include "net/event.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace rockdove::test {

using Answer = Result<http::Response>;

/// A Handler whose answer is what `function` says; it must outlive its calls.
class FunctionHandler final : public http::Handler {
 public:
  using Function = std::function<net::Awaitable<Answer>(http::Request)>;

  explicit FunctionHandler(Function answer) : function(std::move(answer)) {}
  Function function;
  std::size_t calls = 0;

  net::Awaitable<Answer> handle(http::Request&& request) override {
    ++calls;
    return function(std::move(request));
  }
};

/// A call that keeps its request itself, for a task.
inline net::Awaitable<Answer> ask(http::Handler& handler, http::Request request) {
  auto answer = co_await handler.handle(std::move(request));
  co_return answer;
}

/// What a test and its body share: the test adds pieces, the reader takes them.
struct Feed {
  explicit Feed(net::IoContext& io) : news(io.get_executor()) {}

  void add(std::string piece) {
    pieces.push_back(std::move(piece));
    news.notify();
  }
  void end(boost::system::error_code why = {}) {
    ended = true;
    error = why;
    news.notify();
  }

  net::Event news;
  std::deque<std::string> pieces;
  std::string repeated;  ///< if not empty: comes again and again, without end
  http::Fields trailers;
  boost::system::error_code error;
  std::size_t taken = 0;  ///< bytes
  bool ended = false;
  bool dropped = false;  ///< the body is gone
};

class FeedBody final : public http::Body {
 public:
  explicit FeedBody(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
  ~FeedBody() override { feed_->dropped = true; }

  net::Awaitable<Result<std::string_view>> read() override {
    Feed& feed = *feed_;
    while (feed.pieces.empty() && !feed.ended && feed.repeated.empty()) co_await feed.news.wait();
    if (!feed.pieces.empty()) {
      piece_ = std::move(feed.pieces.front());
      feed.pieces.pop_front();
    } else if (feed.ended) {
      if (feed.error) co_return feed.error;
      co_return std::string_view{};
    } else {
      piece_ = feed.repeated;
    }
    feed.taken += piece_.size();
    co_return std::string_view(piece_);
  }
  const http::Fields& trailers() const override { return feed_->trailers; }

 private:
  std::shared_ptr<Feed> feed_;
  std::string piece_;
};

inline http::Request request_of(std::string method, std::string target, std::string content = {}) {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.has_body = !content.empty();
  request.content = std::move(content);
  return request;
}

/// All of a body, or the name of the error it broke with.
inline net::Awaitable<std::string> text_of(http::Body& body) {
  std::string text;
  while (true) {
    auto piece = co_await body.read();
    if (!piece) co_return "broken: " + std::string(error_name(piece.error()));
    if (piece->empty()) co_return text;
    text += *piece;
  }
}

/// "200 the whole body", or the name of the error.
inline net::Awaitable<std::string> summary_of(net::Awaitable<Answer> call) {
  auto answer = co_await std::move(call);
  if (!answer) co_return std::string(error_name(answer.error()));
  std::string summary = std::to_string(answer->status) + " " + answer->content;
  if (answer->body) {
    const std::string rest = co_await text_of(*answer->body);
    summary += rest;
  }
  co_return summary;
}

}  // namespace rockdove::test
