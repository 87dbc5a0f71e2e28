// What the upstream is told of the caller behind us: X-Forwarded-For, -Host, -Proto and X-Request-Id.
#pragma once

#include "http/message.hpp"

#include <functional>

namespace rockdove::http {

/// Sets X-Forwarded-For/-Host/-Proto by what we know ourselves, and has X-Request-Id added by
/// add_id_fields(). Inbound ones, Forwarded and X-Real-IP too, are dropped unless the peer is a trusted
/// proxy: anybody can send them. From a trusted proxy they are kept, X-Forwarded-For grows by the peer's
/// address, and `context.peer` and `context.tls` become what the proxy says of the caller: the last address
/// of the list that is not itself a trusted proxy.
void set_forwarded(Request& request, const std::function<bool(const net::Address&)>& is_trusted);

/// Adds what `context.id_fields` says, once: X-Request-Id, and a traceparent made of the id.
void add_id_fields(Request& request);

}  // namespace rockdove::http
