#include "server/dispatch.hpp"

#include "http/forwarded.hpp"
#include "inbox/canned_answer.hpp"

namespace rockdove::server {
namespace {

using inbox::Capture;
using inbox::Mode;

void set_host(http::Request& request, const config::RouteConfig& route) {
  if (route.host_header == "upstream") request.context.host = "upstream";
  if (route.host_header == "upstream" || route.host_header == "keep") return;
  http::add_made_fields(request);
  request.fields.set("Host", route.host_header);
}

void aim(http::Context& context, const config::TargetConfig& target) {
  context.tunnel = target.tunnel;
  context.upstream = target.upstream;
}

/// The route's options, with what the provider has to say to this very request.
std::shared_ptr<const inbox::RouteOptions> options_for(const Dispatch::Route& route,
                                                       const Edge::Judgement& judgement) {
  std::shared_ptr<const inbox::RouteOptions> options(route, &route->inbox);
  const bool has_fallback = judgement.facts.fallback && !options->fallback;
  if (!judgement.ack && !has_fallback) return options;
  auto own = std::make_shared<inbox::RouteOptions>(*options);
  if (judgement.ack) own->ack = *judgement.ack;
  if (has_fallback) own->fallback = inbox::CannedAnswer{200, "application/json", *judgement.facts.fallback};
  return own;
}

/// One for each target that wants the event; of a route without targets the request's own.
std::vector<http::Context> destinations(const http::Context& own, const config::RouteConfig& route,
                                        std::string_view type) {
  std::vector<http::Context> contexts;
  if (route.targets.empty()) contexts.push_back(own);
  for (const config::TargetConfig& target : route.targets) {
    if (!wants(target, type)) continue;
    aim(contexts.emplace_back(own), target);
    contexts.back().route = target_route(route.name, target);
  }
  return contexts;
}

}  // namespace

Dispatch::Dispatch(net::Executor executor, Agents& agents, http::Handler& upstreams, Capture& capture,
                   inbox::WallClock clock)
    : agents_(agents),
      upstreams_(upstreams),
      capture_(capture),
      clock_(std::move(clock)),
      callbacks_(executor, upstreams),
      fan_out_(executor, capture) {}

Awaitable<Result<http::Response>> Dispatch::handle(http::Request&& request, Route route, Provider provider) {
  if (provider) return judge(std::move(request), std::move(route), std::move(provider));
  set_host(request, *route);
  const bool is_copied = !route->targets.empty() && Capture::takes(request, route->inbox);
  if (is_copied) return read_and_distribute(std::move(request), std::move(route));
  return pass(std::move(request), std::move(route));
}

/// A provider's request is held until it is known what it is.
Awaitable<Result<http::Response>> Dispatch::judge(http::Request request, Route route, Provider provider) {
  if (!request.upgrade.empty()) {  // its bytes have no end, and so no signature
    if (!provider->secrets.empty() || provider->plaintext) co_return edge_.refuse_switch(request, *provider);
    set_host(request, *route);
    auto switched = co_await pass(std::move(request), std::move(route));
    co_return switched;
  }
  auto hold = co_await capture_.read_unproven(request, route->inbox.body_bytes);
  if (!hold) co_return hold.error();
  Edge::Judgement judgement = edge_.judge(request, *provider, clock_());
  if (judgement.answer) co_return std::move(*judgement.answer);
  (*hold)->note_proof();
  set_host(request, *route);
  auto response =
      co_await distribute(std::move(request), std::move(route), std::move(judgement), std::move(*hold));
  co_return response;
}

Awaitable<Result<http::Response>> Dispatch::read_and_distribute(http::Request request, Route route) {
  auto hold = co_await capture_.read(request, route->inbox.body_bytes);
  if (!hold) co_return hold.error();
  Edge::Judgement nothing;
  auto response =
      co_await distribute(std::move(request), std::move(route), std::move(nothing), std::move(*hold));
  co_return response;
}

/// Live, or to the inbox: one copy for each target that wants it.
Awaitable<Result<http::Response>> Dispatch::distribute(http::Request request, Route route,
                                                       Edge::Judgement judgement, Capture::Hold hold) {
  const Options options = options_for(route, judgement);
  providers::Facts& facts = judgement.facts;
  auto contexts = destinations(request.context, *route, facts.type);
  if (contexts.empty()) {
    edge_.count_unwanted(route->name);
    co_return inbox::make_response(options->ack);
  }
  // An answer that somebody waits for cannot be given later. By "inbox" the acknowledgement is the answer.
  const bool is_synchronous = facts.synchronous && options->mode != Mode::inbox;
  if (is_synchronous || !Capture::takes(request, *options)) {
    request.context = std::move(contexts.front());
    auto answer = co_await go_live(std::move(request), options, is_synchronous);
    co_return answer;
  }
  // There may be more than one tunnel by the time the event is delivered.
  for (http::Context& context : contexts)
    if (context.tunnel.empty()) context.tunnel = agents_.only_tunnel();
  inbox::EventFacts known{std::move(facts.id), std::move(facts.type), std::move(facts.app),
                          std::move(facts.chat)};
  auto response = co_await fan_out_.handle(std::move(request), std::move(contexts), options, std::move(known),
                                           std::move(hold));
  co_return response;
}

/// A request of which nothing is known but its bytes.
Awaitable<Result<http::Response>> Dispatch::pass(http::Request&& request, Route route) {
  const Options options(route, &route->inbox);
  if (!Capture::takes(request, *options)) {
    if (!route->targets.empty()) aim(request.context, route->targets.front());
    return go_live(std::move(request), options, false);
  }
  if (request.context.tunnel.empty()) request.context.tunnel = agents_.only_tunnel();
  return capture_.handle(std::move(request), options);
}

Awaitable<Result<http::Response>> Dispatch::go_live(http::Request&& request, Options options,
                                                    bool is_synchronous) {
  const bool has_deadline = options->deadline.count() > 0 && (is_synchronous || options->mode == Mode::live);
  if (has_deadline && request.upgrade.empty()) return callbacks_.handle(std::move(request), options);
  return upstreams_.handle(std::move(request));
}

Awaitable<void> Dispatch::cancel() {
  co_await callbacks_.cancel();
  co_await fan_out_.cancel();
}

}  // namespace rockdove::server
