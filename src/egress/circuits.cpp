#include "egress/circuits.hpp"

#include "http/wire.hpp"
#include "http/wire_body.hpp"

#include <optional>
#include <utility>

namespace rockdove::egress {

/// Shared by the two directions.
struct Circuits::Circuit : std::enable_shared_from_this<Circuit> {
  Circuit(net::Executor executor, std::shared_ptr<http::Wire> connection, CallPtr of, net::Duration limit)
      : wire(std::move(connection)),
        call(std::move(of)),
        idle(limit),
        silence(net::Deadlines::of(executor.context()), [this] { fail(Error::timed_out); }) {
    touch();
  }
  ~Circuit() { wire->close(); }

  void touch() { silence.set(idle); }
  /// Half a stream must not look like a whole one: the destination sees a reset. Whoever brings bytes for it
  /// is not waited for.
  void fail(boost::system::error_code why) {
    const auto alive = shared_from_this();
    if (!call->record.error) call->record.error = why;
    wire->reset();
    if (auto task = std::exchange(sending, std::nullopt)) task->cancel();
  }

  const std::shared_ptr<http::Wire> wire;
  const CallPtr call;
  const net::Duration idle;
  net::Deadline silence;
  std::optional<net::TaskGroup::Task> sending;  // until it has ended
};

/// What the destination sends.
class Circuits::Incoming final : public http::Body {
 public:
  Incoming(std::shared_ptr<Circuit> circuit, std::unique_ptr<http::Body> body)
      : circuit_(std::move(circuit)), body_(std::move(body)) {}
  ~Incoming() override {
    if (!is_whole_) circuit_->fail(Error::cancelled);
  }

  Awaitable<Result<std::string_view>> read() override {
    auto piece = co_await body_->read();
    circuit_->touch();
    if (piece && piece->empty()) is_whole_ = true;
    co_return piece;
  }

 private:
  std::shared_ptr<Circuit> circuit_;
  std::unique_ptr<http::Body> body_;
  bool is_whole_ = false;
};

Circuits::Circuits(net::Executor executor) : executor_(executor), group_(executor, net::abort_on_error) {}

Awaitable<Result<http::Response>> Circuits::open(CallPtr call, HostPort target,
                                                 std::function<bool(const net::Address&)> permits,
                                                 Limits limits, std::unique_ptr<http::Body> outgoing) {
  const net::DialOptions options{limits.connect, std::move(permits)};
  auto socket = co_await net::dial(target, options);
  if (!socket) {
    if (socket.error() == Error::address_denied) co_return socket.error();
    co_return socket.error() == Error::timed_out ? Error::destination_timeout : Error::destination_refused;
  }
  auto wire = std::make_shared<http::Wire>(net::Stream(std::move(*socket)));
  call->record.reached = wire->stream().peer().address();
  auto circuit = std::make_shared<Circuit>(executor_, wire, call, limits.idle);
  http::WireBody::Options incoming;
  incoming.framing = http::Framing::until_close;
  auto bytes = std::make_unique<http::WireBody>(std::move(wire), std::move(incoming));
  auto counted = std::make_unique<CallBody>(call, CallBody::Direction::received, std::move(bytes));
  http::Response response;
  response.switched = response.has_body = true;
  response.body = std::make_unique<Incoming>(circuit, std::move(counted));
  if (outgoing) {
    auto sent = std::make_unique<CallBody>(std::move(call), CallBody::Direction::sent, std::move(outgoing));
    circuit->sending = group_.spawn(send(circuit, std::move(sent)));
  }
  co_return response;
}

Awaitable<void> Circuits::send(std::shared_ptr<Circuit> circuit, std::unique_ptr<http::Body> outgoing) {
  // Also when it is cancelled.
  struct End {
    Circuit& circuit;
    boost::system::error_code why = Error::cancelled;
    ~End() {
      circuit.sending.reset();
      if (why) circuit.fail(why);
    }
  } end{*circuit};
  while (true) {
    auto piece = co_await outgoing->read();
    if (!piece) {
      end.why = piece.error();
      co_return;
    }
    circuit->touch();
    if (piece->empty()) break;
    const http::Wire::Parts parts{*piece};
    auto written = co_await circuit->wire->write(parts, circuit->idle);
    if (!written) {
      end.why = Error::destination_reset;
      co_return;
    }
    circuit->touch();
  }
  end.why = {};
  if (circuit->wire->is_open()) co_await circuit->wire->stream().shutdown_write();
}

Awaitable<void> Circuits::close() {
  group_.cancel();
  co_await group_.join();
}

}  // namespace rockdove::egress
