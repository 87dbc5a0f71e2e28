#include "inbox/events_api.hpp"

#include "base/percent.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "http/error_response.hpp"
#include "inbox/event_json.hpp"
#include "inbox/event_query.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace rockdove::inbox {
namespace {

namespace json = boost::json;

constexpr std::string_view root = "/api/v1/";
constexpr std::size_t body_bytes_max = 1024 * 1024;
constexpr std::size_t shown_body_default = 256 * 1024;
constexpr std::size_t shown_body_max = 16 * 1024 * 1024;  // JSON is made on the loop, at some ns a byte
constexpr std::size_t replay_max = 1000;
constexpr std::size_t reason_bytes_max = 500;

http::Response json_response(const json::value& value) {
  return http::make_response(200, "application/json", json::serialize(value) + "\n");
}

/// The body as an object; an empty one stands for {}. Each member is one of `names`.
Read<json::object> parse_members(std::string_view body, std::initializer_list<std::string_view> names) {
  json::object members;
  if (body.empty()) return members;
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) return Complaint{"the body is not a JSON object"};
  members = std::move(value.get_object());
  for (const auto& member : members) {
    if (std::ranges::find(names, std::string_view(member.key())) != names.end()) continue;
    std::string known;
    for (const auto name : names) known += (known.empty() ? "" : ", ") + std::string(name);
    return Complaint{"\"" + std::string(member.key()) + "\" is unknown: there " +
                     (known.empty() ? "is nothing to say" : "are " + known)};
  }
  return members;
}

Read<std::vector<EventId>> parse_ids(std::string_view body) {
  const auto members = parse_members(body, {"ids"});
  if (!members) return members.error();
  const json::value* list = members->if_contains("ids");
  if (!list || !list->is_array()) return Complaint{"\"ids\" has to be a list of event ids"};
  if (list->get_array().size() > replay_max)
    return Complaint{"\"ids\" has more than 1000: send them in parts"};
  std::vector<EventId> ids;
  for (const json::value& each : list->get_array()) {
    const auto id = each.is_string() ? parse_event_id(each.get_string()) : Result<EventId>(Error::malformed);
    if (!id) return Complaint{json::serialize(each) + " in \"ids\" is no event id"};
    ids.push_back(*id);
  }
  return ids;
}

/// What to purge. The members are strings, as in a query; {"all":true} is the only way to mean everything.
Read<Filter> parse_purge(std::string_view body) {
  const auto members = parse_members(body, {"tunnel", "route", "status", "since", "until", "text", "all"});
  if (!members) return members.error();
  Filter filter;
  bool all = false;
  for (const auto& [key, value] : *members) {
    const std::string name(key);
    if (name == "all") {
      if (!value.is_bool()) return Complaint{"\"all\" has to be true or false"};
      all = value.get_bool();
      continue;
    }
    if (!value.is_string()) return Complaint{"\"" + name + "\" has to be a string"};
    const auto added = add_to_filter(filter, name, value.get_string());
    if (!added) return added.error();
  }
  if (all && !restricts_nothing(filter)) return Complaint{"\"all\" goes with no other restriction"};
  if (!all && restricts_nothing(filter))
    return Complaint{"this would purge every event: write {\"all\":true} if that is meant"};
  return filter;
}

Read<std::size_t> parse_body_limit(std::string_view query) {
  auto pairs = parse_query(query);
  if (!pairs) return pairs.error();
  std::size_t limit = shown_body_default;
  for (const auto& [key, value] : *pairs) {
    if (key != "body_limit") return Complaint{"\"" + key + "\" is unknown: there is body_limit"};
    const auto size = parse_size(value);
    if (!size) return Complaint{"body_limit: \"" + value + "\" is no size such as 65536 or 64KiB"};
    if (*size > shown_body_max)
      return Complaint{"body_limit: at most 16MiB can be shown here, and .../body gives all of it"};
    limit = *size;
  }
  return limit;
}

struct Reason {
  std::string text;
};

Read<Reason> parse_reason(std::string_view body) {
  const auto members = parse_members(body, {"reason"});
  if (!members) return members.error();
  const json::value* reason = members->if_contains("reason");
  if (!reason) return Reason{"paused by an operator"};
  const bool fits =
      reason->is_string() && !reason->get_string().empty() && reason->get_string().size() <= reason_bytes_max;
  if (!fits) return Complaint{"\"reason\" has to be a string of 1 to 500 bytes"};
  return Reason{std::string(reason->get_string())};
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at != path.npos;) {
    const auto end = path.find('/', at);
    parts.push_back(path.substr(at, end - at));
    at = end == path.npos ? end : end + 1;
  }
  return parts;
}

}  // namespace

/// A request, cut up.
struct EventsApi::Call {
  std::string method, query, body, request_id;
  std::vector<std::string> path;  ///< after /api/v1/, each part decoded

  http::Response complain(const Complaint& complaint) const {
    return http::error_response(400, "malformed", to_utf8(complaint.text), request_id);
  }
  /// The event that the path names.
  Read<EventId> id() const {
    const auto id = parse_event_id(path[1]);
    if (!id) return Complaint{"\"" + path[1] + "\" is no event id"};
    return *id;
  }
  /// Most endpoints take no query: a key there is a misunderstanding.
  Read<bool> without_query() const {
    if (!query.empty()) return Complaint{"there is no query here"};
    return true;
  }
};

struct EventsApi::Endpoint {
  std::string_view method;
  std::vector<std::string_view> path;  ///< "*" stands for any part
  Action action;
};

/// The endpoint of the call's path: the one for its method if there is one.
const EventsApi::Endpoint* EventsApi::find(const Call& call) {
  static const Endpoint endpoints[] = {
      {"GET", {"events"}, &EventsApi::list},
      {"POST", {"events", "replay"}, &EventsApi::replay},
      {"POST", {"events", "purge"}, &EventsApi::purge},
      {"GET", {"events", "*"}, &EventsApi::show},
      {"GET", {"events", "*", "body"}, &EventsApi::show_body},
      {"POST", {"routes", "*", "pause"}, &EventsApi::pause},
      {"POST", {"routes", "*", "resume"}, &EventsApi::resume},
  };
  for (const Endpoint& endpoint : endpoints) {
    const bool fits =
        std::ranges::equal(endpoint.path, call.path, [](std::string_view want, const auto& part) {
          return want == part || (want == "*" && !part.empty());
        });
    if (fits) return &endpoint;
  }
  return nullptr;
}

EventsApi::EventsApi(Store& store, Deliverer& deliverer, WallClock clock, IsRoute is_route)
    : store_(store), deliverer_(deliverer), clock_(std::move(clock)), is_route_(std::move(is_route)) {}

Awaitable<Result<http::Response>> EventsApi::handle(http::Request&& request) {
  Call call;
  call.method = request.method == "HEAD" ? "GET" : request.method;
  call.request_id = request.context.request_id;
  std::string_view path = request.target;
  if (const auto mark = path.find('?'); mark != path.npos) {
    call.query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  if (path.starts_with(root)) {
    path.remove_prefix(root.size());
    for (const auto part : split(path)) {
      auto decoded = percent_decode(part);
      if (!decoded) co_return call.complain({"the path has a % without two hex digits"});
      call.path.push_back(std::move(*decoded));
    }
  }
  const Endpoint* endpoint = find(call);
  if (!endpoint)
    co_return http::error_response(404, "not_found", "the API has nothing of that name", call.request_id);
  if (endpoint->method != call.method) {
    const std::string allowed = endpoint->method == "GET" ? "GET, HEAD" : "POST";
    auto refusal = http::error_response(405, "method_not_allowed", "this takes " + allowed, call.request_id);
    refusal.fields.add("Allow", allowed);
    co_return refusal;
  }
  auto body = co_await http::read_all(request, body_bytes_max);
  if (!body) co_return failure(body.error(), call);
  call.body = std::move(request.content);
  const Action action = endpoint->action;
  auto answer = (this->*action)(std::move(call));
  auto response = co_await std::move(answer);
  if (response) response->fields.add("Cache-Control", "no-store");
  co_return response;
}

http::Response EventsApi::failure(boost::system::error_code error, const Call& call) const {
  if (error == Error::not_found) {
    const std::string what =
        call.path[0] == "events" ? "event " + call.path[1] : "route \"" + call.path[1] + "\"";
    return http::error_response(404, "not_found", to_utf8("there is no " + what), call.request_id);
  }
  const StoreHealth health = error == Error::unavailable ? store_.health() : StoreHealth{};
  if (health.reason.empty()) return http::error_response(error, call.request_id);
  return http::error_response(http::status_of(error), error_name(error), to_utf8(health.reason),
                              call.request_id);
}

Awaitable<Result<http::Response>> EventsApi::list(Call call) {
  auto query = parse_page_request(call.query);
  if (!query) co_return call.complain(query.error());
  auto page = co_await store_.list(std::move(*query));
  if (!page) co_return failure(page.error(), call);
  json::array events;
  for (const Event& event : page->events) events.push_back(to_json(event));
  json::object answer;
  answer["events"] = std::move(events);
  answer["next"] = page->next == 0 ? json::value(nullptr) : json::value(format_event_id(page->next));
  co_return json_response(answer);
}

Awaitable<Result<http::Response>> EventsApi::show(Call call) {
  const auto id = call.id();
  if (!id) co_return call.complain(id.error());
  const auto limit = parse_body_limit(call.query);
  if (!limit) co_return call.complain(limit.error());
  auto detail = co_await store_.look_up(*id);
  if (!detail) co_return failure(detail.error(), call);
  json::array attempts;
  for (const Attempt& attempt : detail->attempts) attempts.push_back(to_json(attempt));
  json::object answer = to_json(detail->event);
  json::object object;
  const bool is_readable = detail->event.state != State::quarantined;
  object["event"] = std::move(answer);
  object["request"] = is_readable ? json::value(to_json(detail->request, *limit)) : json::value(nullptr);
  object["attempts"] = std::move(attempts);
  co_return json_response(object);
}

Awaitable<Result<http::Response>> EventsApi::show_body(Call call) {
  const auto id = call.id();
  if (!id) co_return call.complain(id.error());
  const auto plain = call.without_query();
  if (!plain) co_return call.complain(plain.error());
  auto detail = co_await store_.look_up(*id);
  if (!detail) co_return failure(detail.error(), call);
  if (detail->event.state == State::quarantined)
    co_return http::error_response(404, "not_found", "the event's record cannot be read back",
                                   call.request_id);
  co_return http::make_response(200, "application/octet-stream", std::move(detail->request.body));
}

/// At the end of a scope, however it is left: what fails or is cancelled may have been done in part.
struct EventsApi::Wake {
  EventsApi& api;
  const std::string route;
  ~Wake() { api.wake(route); }
};

/// There may be something to do on every route that has events, or on the one that is named.
void EventsApi::wake(std::string_view route) {
  if (!route.empty()) return deliverer_.wake(route);
  std::set<std::string, std::less<>> routes;
  for (Tally& tally : store_.tallies()) routes.insert(std::move(tally.route));
  for (const std::string& each : routes) deliverer_.wake(each);
}

Awaitable<Result<http::Response>> EventsApi::replay(Call call) {
  const auto plain = call.without_query();
  if (!plain) co_return call.complain(plain.error());
  auto ids = parse_ids(call.body);
  if (!ids) co_return call.complain(ids.error());
  const Wake at_end{*this, std::string()};
  auto replayed = co_await store_.replay(std::move(*ids), clock_());
  if (!replayed) co_return failure(replayed.error(), call);
  json::object answer;
  answer["replayed"] = *replayed;
  co_return json_response(answer);
}

Awaitable<Result<http::Response>> EventsApi::purge(Call call) {
  const auto plain = call.without_query();
  if (!plain) co_return call.complain(plain.error());
  auto filter = parse_purge(call.body);
  if (!filter) co_return call.complain(filter.error());
  const Wake at_end{*this, filter->route};  // the events behind those that go will be due
  auto purged = co_await store_.purge(std::move(*filter));
  if (!purged) co_return failure(purged.error(), call);
  json::object answer;
  answer["purged"] = *purged;
  answer["more"] = *purged > 0;
  co_return json_response(answer);
}

/// Error::not_found unless it is a route of the configuration, or one that has left it and still has events
/// or its pause.
Awaitable<Result<void>> EventsApi::check_route(std::string route) {
  if (!is_route_ || is_route_(route)) co_return Result<void>();
  for (const Tally& tally : store_.tallies())
    if (tally.route == route) co_return Result<void>();
  auto paused = co_await store_.paused();
  if (!paused) co_return paused.error();
  for (const auto& each : *paused)
    if (each.first == route) co_return Result<void>();
  co_return Error::not_found;
}

Awaitable<Result<http::Response>> EventsApi::pause(Call call) {
  const auto plain = call.without_query();
  if (!plain) co_return call.complain(plain.error());
  const std::string route = call.path[1];
  auto reason = parse_reason(call.body);
  if (!reason) co_return call.complain(reason.error());
  const auto known = co_await check_route(route);
  if (!known) co_return failure(known.error(), call);
  const auto done = co_await deliverer_.pause(route, reason->text);
  if (!done) co_return failure(done.error(), call);
  co_return json_response({{"route", to_utf8(route)}, {"paused", true}, {"reason", to_utf8(reason->text)}});
}

Awaitable<Result<http::Response>> EventsApi::resume(Call call) {
  const auto plain = call.without_query();
  if (!plain) co_return call.complain(plain.error());
  const auto members = parse_members(call.body, {});
  if (!members) co_return call.complain(members.error());
  const std::string route = call.path[1];
  const auto known = co_await check_route(route);
  if (!known) co_return failure(known.error(), call);
  const auto done = co_await deliverer_.pause(route, std::string());
  if (!done) co_return failure(done.error(), call);
  co_return json_response({{"route", to_utf8(route)}, {"paused", false}});
}

}  // namespace rockdove::inbox
