// One attempt: the request as the upstream gets it, and what comes back.
#pragma once

#include "inbox/deliverer.hpp"

namespace rockdove::inbox {

/// The stored request, with the fields that tell the upstream what it is given: Webhook-Id (if it has none of
/// its own), Rockdove-Event-Id, Rockdove-Attempt, Rockdove-Received-At, Rockdove-Replay. Fields of the
/// request that are called Rockdove-… are not passed on: whoever sent them is not us. All else stays byte for
/// byte. It goes where `route` says now, or where it was stored for if that says nothing.
http::Request attempt_request(const Event& event, StoredRequest stored, const RouteOptions& route);

struct Exchange {
  Outcome outcome;  ///< without retry_after
  Answer answer;    ///< without outcome
};

/// Makes the call and reads the whole answer, of whose body it keeps `answer_bytes`. `agents` must outlive
/// it. Cancelling it gives the exchange up.
Awaitable<Exchange> exchange(http::Handler& agents, http::Request request, std::size_t answer_bytes);

/// What is kept of it, without its number and its times.
Attempt attempt_of(const http::Record& record, const Exchange& result);

}  // namespace rockdove::inbox
