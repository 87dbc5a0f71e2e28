// What happens to a provider's request before anybody else sees it: proof, challenge, facts.
#pragma once

#include "http/message.hpp"
#include "inbox/route_options.hpp"
#include "net/log_pace.hpp"
#include "providers/events.hpp"
#include "providers/verify.hpp"
#include "server/provider_route.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::server {

/// The URL as the caller used it, as far as we and the proxies that we trust know; after
/// http::set_forwarded().
std::string public_url(const http::Request& request);

/// Judges requests, and counts what it finds by route. Loop thread only.
class Edge {
 public:
  struct Judgement {
    /// The request goes no further: a challenge is answered so, or the request is not proven.
    std::optional<http::Response> answer;
    providers::Facts facts;
    std::optional<inbox::CannedAnswer> ack;  ///< in place of RouteOptions::ack
  };

  /// The request's body is in its `content`, its route in its context; after http::set_forwarded(). Takes
  /// some microseconds, and some more for each KiB of the body.
  Judgement judge(const http::Request& request, const ProviderRoute& route, providers::WallTime now);

  /// The answer to a request that nothing can prove: a switch of protocols.
  http::Response refuse_switch(const http::Request& request, const ProviderRoute& route);

  /// A proven event of a type that none of the route's targets wants.
  void count_unwanted(std::string_view route) { ++counters(route).unwanted; }

  /// The "provider" part of a route in /stats.
  boost::json::object to_json(std::string_view route, const ProviderRoute& provider) const;

 private:
  struct Counters {
    std::uint64_t accepted = 0, unchecked = 0, challenges = 0, unwanted = 0;
    std::map<std::string, std::uint64_t, std::less<>> refused;  // by providers::outcome_name()
  };

  Counters& counters(std::string_view route);
  http::Response refuse(const http::Request& request, const ProviderRoute& route,
                        const providers::Verdict& verdict);

  std::map<std::string, Counters, std::less<>> counters_;
  net::LogPace refusals_;
};

}  // namespace rockdove::server
