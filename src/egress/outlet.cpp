#include "egress/outlet.hpp"

namespace rockdove::egress {
namespace {

boost::system::error_code as_destination_error(boost::system::error_code error) {
  if (error == Error::upstream_refused) return Error::destination_refused;
  if (error == Error::upstream_timeout) return Error::destination_timeout;
  if (error == Error::upstream_malformed) return Error::destination_malformed;
  if (error == Error::upstream_reset) return Error::destination_reset;
  return error;
}

/// Reports what breaks in the middle by the same names.
class AnswerBody final : public http::Body {
 public:
  explicit AnswerBody(std::unique_ptr<http::Body> body) : body_(std::move(body)) {}
  Awaitable<Result<std::string_view>> read() override {
    auto piece = co_await body_->read();
    if (piece) co_return piece;
    const auto error = piece.error();
    if (error == Error::timed_out) co_return Error::destination_timeout;
    if (error.category() != error_category() || error == Error::truncated) co_return Error::destination_reset;
    co_return error == Error::malformed ? make_error_code(Error::destination_malformed) : error;
  }
  const http::Fields& trailers() const override { return body_->trailers(); }

 private:
  std::unique_ptr<http::Body> body_;
};

}  // namespace

Outlet::Outlet(net::Executor executor, Options options)
    : client_(executor, client_options(std::move(options))) {}

http::Client::Options Outlet::client_options(Options options) {
  http::Client::Options client;
  client.address = std::move(options.address);
  client.tls = options.tls;
  client.trust.ca_file = std::move(options.ca_file);
  client.permits = std::move(options.permits);
  client.connect_timeout = options.connect_timeout;
  client.first_byte_timeout = options.first_byte_timeout;
  client.idle_timeout = options.idle_timeout;
  client.on_connect = [this](const Result<void>& result) {
    connect_error_ = result ? boost::system::error_code() : result.error();
  };
  return client;
}

Awaitable<Result<http::Response>> Outlet::handle(http::Request&& request) {
  auto response = co_await client_.handle(std::move(request));
  if (!response) {
    if (response.error() != Error::upstream_refused) co_return as_destination_error(response.error());
    if (connect_error_ == Error::untrusted_server) co_return Error::destination_untrusted;
    // A handshake that takes too long is broken off, as nothing else does.
    const bool is_late =
        connect_error_ == Error::timed_out || connect_error_ == net::asio::error::operation_aborted;
    co_return is_late ? Error::destination_timeout : Error::destination_refused;
  }
  if (response->body) response->body = std::make_unique<AnswerBody>(std::move(response->body));
  co_return response;
}

}  // namespace rockdove::egress
