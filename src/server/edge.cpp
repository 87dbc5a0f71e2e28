#include "server/edge.hpp"

#include "http/error_response.hpp"
#include "net/address.hpp"
#include "net/log.hpp"

namespace rockdove::server {
namespace {

using providers::Outcome;

http::Response to_response(providers::Answer answer) {
  return http::make_response(answer.status, answer.type, std::move(answer.body));
}

}  // namespace

std::string public_url(const http::Request& request) {
  std::string url = request.context.tls ? "https://" : "http://";
  const auto told = request.fields.get("x-forwarded-host");  // by a trusted proxy
  url += told ? *told : request.fields.get("host").value_or("");
  return url += request.target;
}

Edge::Judgement Edge::judge(const http::Request& request, const ProviderRoute& route,
                            providers::WallTime now) {
  Judgement judgement;
  const std::string url = public_url(request);
  const providers::RequestView view{request.method, url, request.fields, request.content};
  const providers::Message message(route.scheme, route.secrets, view);
  providers::Verdict verdict = providers::verify(message, now);
  if (!verdict.accepted()) {
    judgement.answer = refuse(request, route, verdict);
    return judgement;
  }
  Counters& counts = counters(request.context.route);
  if (auto answer = providers::challenge_answer(message, now)) {
    ++counts.challenges;
    judgement.answer = to_response(std::move(*answer));
    return judgement;
  }
  if (verdict.only_challenge) {  // which cannot be answered
    verdict.outcome = Outcome::no_secret;
    judgement.answer = refuse(request, route, verdict);
    return judgement;
  }
  ++(verdict.outcome == Outcome::unchecked ? counts.unchecked : counts.accepted);
  judgement.facts = providers::read_facts(message);
  if (!route.makes_ack) return judgement;
  if (auto ack = providers::ack(message, now))
    judgement.ack = inbox::CannedAnswer{ack->status, std::move(ack->type), std::move(ack->body)};
  return judgement;
}

http::Response Edge::refuse_switch(const http::Request& request, const ProviderRoute& route) {
  providers::Verdict verdict;
  return refuse(request, route, verdict);
}

/// The caller learns the outcome alone; what it is about is for the log.
http::Response Edge::refuse(const http::Request& request, const ProviderRoute& route,
                            const providers::Verdict& verdict) {
  const http::Context& context = request.context;
  const std::string_view outcome = outcome_name(verdict.outcome);
  const auto [count, is_new] = counters(context.route).refused.try_emplace(std::string(outcome), 0);
  ++count->second;
  if (const auto others = refusals_.pass())
    log::warn("edge", "{}: request {} from {} is refused, {}: {}{}", context.route, context.request_id,
              net::to_string(context.peer), outcome, providers::explain(verdict), *others);
  return http::error_response(route.scheme.refusal, "signature_" + std::string(outcome),
                              "the request is not proven to come from " + route.scheme.name,
                              context.request_id);
}

Edge::Counters& Edge::counters(std::string_view route) {
  const auto found = counters_.find(route);
  return found != counters_.end() ? found->second : counters_[std::string(route)];
}

boost::json::object Edge::to_json(std::string_view route, const ProviderRoute& provider) const {
  static const Counters none;
  const auto found = counters_.find(route);
  const Counters& counts = found == counters_.end() ? none : found->second;
  boost::json::object refused;
  for (const auto& [outcome, count] : counts.refused) refused[outcome] = count;
  boost::json::object result;
  result["name"] = provider.scheme.name;
  result["checks"] = !provider.secrets.empty();
  result["accepted"] = counts.accepted;
  result["unchecked"] = counts.unchecked;
  result["challenges"] = counts.challenges;
  result["unwanted"] = counts.unwanted;
  result["refused"] = std::move(refused);
  return result;
}

}  // namespace rockdove::server
