// What the upstream is told of the caller behind us: X-Forwarded-For, -Host, -Proto and X-Request-Id.
#pragma once

#include "http/message.hpp"

#include <functional>
#include <string_view>

namespace rockdove::http {

/// Has X-Forwarded-For/-Host/-Proto and X-Request-Id added by add_made_fields(), of what we know ourselves.
/// Inbound ones, Forwarded and X-Real-IP too, are dropped unless the peer is a trusted proxy: anybody can
/// send them. From a trusted proxy they are kept, X-Forwarded-For grows by the peer's address, and
/// `context.peer` and `context.tls` become what the proxy says of the caller: the last address of the list
/// that is not itself a trusted proxy.
void set_forwarded(Request& request, const std::function<bool(const net::Address&)>& is_trusted);

/// Adds X-Forwarded-For with `list`, -Host, unless it is there, with what Host says, and -Proto.
void add_forwarded(Request& request, std::string_view list);

/// Adds what `context.to_add` says, once. To be called before Host is replaced.
void add_made_fields(Request& request);

}  // namespace rockdove::http
