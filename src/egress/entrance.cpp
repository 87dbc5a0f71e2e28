#include "egress/entrance.hpp"

#include "http/error_response.hpp"
#include "net/address.hpp"
#include "net/log.hpp"

namespace rockdove::egress {

Awaitable<Result<http::Response>> ProxyEntrance::handle(http::Request&& request) {
  const bool is_one = request.fields.count("Proxy-Authorization") == 1;
  const auto given = is_one ? parse_basic(*request.fields.get("Proxy-Authorization"))
                            : Result<Credentials>(Error::unauthorized);
  auto token_id = given ? verify_(*given) : std::nullopt;
  if (!token_id) {
    // Without any credentials it is the first half of the usual exchange.
    if (is_one) {
      ++refusals_.unauthorized;
      if (const auto others = refusals_.log.pass())
        log::warn("egress", "{}: the proxy port turned away wrong credentials{}",
                  net::to_string(request.context.peer), *others);
    }
    auto response = http::error_response(
        407, "unauthorized", "the user is the tunnel's name, the password the secret of one of its tokens",
        request.context.request_id);
    response.fields.add("Proxy-Authenticate", "Basic realm=\"rockdove egress\"");
    return http::ready(std::move(response));
  }
  token_ids_.insert(std::move(*token_id));
  return gate_.handle(Who{given->user, "-", request.context.peer}, std::move(request));
}

}  // namespace rockdove::egress
