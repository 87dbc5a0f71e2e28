#include "base/error.hpp"

#include <array>
#include <string>

namespace rockdove {
namespace {

struct Entry {
  Error error;
  Hop hop;
  std::string_view name;
  std::string_view text;  // for people: what happened, in a half sentence
};

constexpr std::array entries{
    Entry{Error::closed, Hop::edge, "closed", "the connection was closed"},
    Entry{Error::truncated, Hop::edge, "truncated", "the connection ended in the middle of a message"},
    Entry{Error::timed_out, Hop::edge, "timed_out", "the time limit was reached"},
    Entry{Error::cancelled, Hop::edge, "cancelled", "the work was given up"},
    Entry{Error::malformed, Hop::edge, "malformed", "the message is not valid HTTP/1.1"},
    Entry{Error::target_too_long, Hop::edge, "target_too_long", "the request target is too long"},
    Entry{Error::header_too_large, Hop::edge, "header_too_large", "the header section is too large"},
    Entry{Error::body_too_large, Hop::edge, "body_too_large", "the body is too large"},
    Entry{Error::not_implemented, Hop::edge, "not_implemented", "the transfer coding is not supported"},
    Entry{Error::version_not_supported, Hop::edge, "version_not_supported",
          "the HTTP version is not supported"},
    Entry{Error::body_timed_out, Hop::edge, "body_timed_out", "the caller stopped sending its body"},
    Entry{Error::no_route, Hop::edge, "no_route", "no route covers this host and path"},
    Entry{Error::no_agent, Hop::edge, "no_agent", "no agent of this tunnel is connected"},
    Entry{Error::queue_full, Hop::edge, "queue_full", "too many requests are running and waiting"},
    Entry{Error::draining, Hop::edge, "draining", "the server is stopping"},
    Entry{Error::unavailable, Hop::edge, "unavailable", "the server lacks a resource"},
    Entry{Error::not_found, Hop::edge, "not_found", "what the request names is not kept here"},
    Entry{Error::link_lost, Hop::link, "link_lost",
          "the link between server and agent broke during the request"},
    Entry{Error::stream_refused, Hop::link, "stream_refused", "the agent took no new request"},
    Entry{Error::stream_reset, Hop::link, "stream_reset", "the agent gave the request up"},
    Entry{Error::upstream_unknown, Hop::upstream, "upstream_unknown",
          "the agent has no upstream of this name"},
    Entry{Error::upstream_refused, Hop::upstream, "upstream_refused",
          "the upstream could not be connected to"},
    Entry{Error::upstream_reset, Hop::upstream, "upstream_reset",
          "the upstream closed before a complete answer"},
    Entry{Error::upstream_timeout, Hop::upstream, "upstream_timeout", "the upstream did not answer in time"},
    Entry{Error::upstream_malformed, Hop::upstream, "upstream_malformed",
          "the upstream's answer is not valid HTTP/1.1"},
    Entry{Error::no_link, Hop::link, "no_link", "the agent is not connected to the server"},
    Entry{Error::destination_unknown, Hop::edge, "destination_unknown",
          "the server has no egress destination of this name"},
    Entry{Error::destination_denied, Hop::edge, "destination_denied",
          "no egress rule of the server allows this tunnel this host and port"},
    Entry{Error::address_denied, Hop::edge, "address_denied",
          "the destination's address is private or reserved, and no egress rule allows it"},
    Entry{Error::rate_limited, Hop::edge, "rate_limited", "the egress rule's rate limit is reached"},
    Entry{Error::destination_refused, Hop::destination, "destination_refused",
          "the destination could not be connected to"},
    Entry{Error::destination_untrusted, Hop::destination, "destination_untrusted",
          "the destination's certificate is not valid"},
    Entry{Error::destination_reset, Hop::destination, "destination_reset",
          "the destination closed before a complete answer"},
    Entry{Error::destination_timeout, Hop::destination, "destination_timeout",
          "the destination did not answer in time"},
    Entry{Error::destination_malformed, Hop::destination, "destination_malformed",
          "the destination's answer is not valid HTTP/1.1"},
    Entry{Error::unauthorized, Hop::link, "unauthorized", "the token is unknown or was revoked"},
    Entry{Error::untrusted_server, Hop::link, "untrusted_server", "the server's key is not the expected one"},
    Entry{Error::protocol, Hop::link, "protocol", "the peer does not speak the link protocol"},
};

const Entry* find(boost::system::error_code error) noexcept {
  if (error.category() != error_category()) return nullptr;
  for (const Entry& entry : entries)
    if (static_cast<int>(entry.error) == error.value()) return &entry;
  return nullptr;
}

// Boost's base class has a protected destructor that is not virtual, on purpose.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "rockdove"; }
  std::string message(int value) const override {
    for (const Entry& entry : entries)
      if (static_cast<int>(entry.error) == value) return std::string(entry.text);
    return "unknown error " + std::to_string(value);
  }
};
#pragma GCC diagnostic pop

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::string_view error_name(boost::system::error_code error) noexcept {
  const Entry* entry = find(error);
  return entry ? entry->name : "system_error";
}

Error error_named(std::string_view name) noexcept {
  for (const Entry& entry : entries)
    if (entry.name == name) return entry.error;
  return Error::protocol;
}

Hop hop_of(boost::system::error_code error) noexcept {
  const Entry* entry = find(error);
  return entry ? entry->hop : Hop::link;
}

std::string_view hop_name(Hop hop) noexcept {
  switch (hop) {
    case Hop::edge: return "edge";
    case Hop::link: return "link";
    case Hop::upstream: return "upstream";
    case Hop::destination: return "destination";
  }
  return "edge";
}

}  // namespace rockdove
