#include "agent/request_log.hpp"

#include "http/loggable.hpp"
#include "http/trace_context.hpp"
#include "net/log.hpp"
#include "net/log_line.hpp"

#include <memory>
#include <string>
#include <utility>

namespace rockdove::agent {
namespace {

/// What is known of a request. Who still works for it holds it; the last one to let go writes the line.
struct Line {
  explicit Line(const http::Request& request)
      : method(request.method),
        path(http::loggable(request.target)),
        upstream(request.context.upstream.empty() ? "default" : request.context.upstream),
        id(request.fields.get("x-request-id").value_or("-")),
        trace(http::trace_id_of(request.fields).value_or("-")),
        bytes_in(request.content.size()) {}
  ~Line() { write(); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void write() const {
    const std::chrono::duration<double, std::milli> time = net::Clock::now() - started;
    const std::string outcome = status == 0 && !error ? std::string("gone") : std::to_string(status);
    const std::string text =
        fmt::format("{} {} {} -> {} in {:.1f} ms, {} B in, {} B out, id {}, trace {}{}{}", method, path,
                    upstream, outcome, time.count(), bytes_in, bytes_out, id, trace, error ? ", " : "",
                    error ? error.message() : "");
    log::record(log::Level::info, "request", text, log::is_json() ? members(time.count()) : std::string());
  }

  std::string members(double milliseconds) const {
    std::string all;
    log::append_member(all, "id", id);
    log::append_member(all, "trace", trace);
    log::append_member(all, "method", method);
    log::append_member(all, "path", path);
    log::append_member(all, "upstream", upstream);
    log::append_member(all, "status", static_cast<std::uint64_t>(status));
    if (error) log::append_member(all, "hop", hop_name(hop_of(error)));
    if (error) log::append_member(all, "cause", error_name(error));
    log::append_member(all, "ms", milliseconds);
    log::append_member(all, "bytes_in", bytes_in);
    log::append_member(all, "bytes_out", bytes_out);
    return all;
  }

  const std::string method, path, upstream, id, trace;
  const net::Clock::time_point started = net::Clock::now();
  int status = 0;
  boost::system::error_code error;
  std::uint64_t bytes_in, bytes_out = 0;
};

/// A body whose bytes are counted as they pass.
class CountedBody final : public http::Body {
 public:
  CountedBody(std::unique_ptr<http::Body> body, std::shared_ptr<Line> line, std::uint64_t Line::*count)
      : body_(std::move(body)), line_(std::move(line)), count_(count) {}

  Awaitable<Result<std::string_view>> read() override {
    auto piece = co_await body_->read();
    if (piece) (*line_).*count_ += piece->size();
    else if (!line_->error) line_->error = piece.error();
    co_return piece;
  }
  const http::Fields& trailers() const override { return body_->trailers(); }

 private:
  const std::unique_ptr<http::Body> body_;
  const std::shared_ptr<Line> line_;
  std::uint64_t Line::*const count_;
};

Awaitable<Result<http::Response>> handle_with(std::shared_ptr<Line> line, http::Handler& next,
                                              http::Request request) {
  if (request.body)
    request.body = std::make_unique<CountedBody>(std::move(request.body), line, &Line::bytes_in);
  auto response = co_await next.handle(std::move(request));
  if (!response) {
    line->error = response.error();
    co_return response;
  }
  line->status = response->status;
  line->bytes_out = response->content.size();
  if (response->body)
    response->body = std::make_unique<CountedBody>(std::move(response->body), line, &Line::bytes_out);
  co_return response;
}

}  // namespace

Awaitable<Result<http::Response>> RequestLog::handle(http::Request&& request) {
  if (!is_on_ || !log::enabled(log::Level::info, "request")) return next_.handle(std::move(request));
  auto line = std::make_shared<Line>(request);
  return handle_with(std::move(line), next_, std::move(request));
}

}  // namespace rockdove::agent
