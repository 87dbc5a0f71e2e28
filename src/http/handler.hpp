// The interface that joins the program: something that answers requests.
#pragma once

#include "http/message.hpp"

namespace rockdove::http {

/// Implemented by everything that can answer a request (ingress, agents, a link, upstreams, a client,
/// admin); called by everything that has one (the public socket, a link's inbound stream).
class Handler {
 public:
  virtual ~Handler() = default;

  /// Returns once the response's head is known; its body streams on, and so may the request's.
  /// Cancelling the call, or destroying the response before its body's end, gives the exchange up.
  /// The handler must outlive the call and the response; `request` must stay where it is until the call has
  /// returned, and what is left of it then is of no use. It is not moved from hand to hand: that costs.
  virtual Awaitable<Result<Response>> handle(Request&& request) = 0;
};

/// An answer that is known already, in the form that handle() returns.
inline Awaitable<Result<Response>> ready(Result<Response> response) {
  co_return response;
}

}  // namespace rockdove::http
