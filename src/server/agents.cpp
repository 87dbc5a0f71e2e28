#include "server/agents.hpp"

#include "net/deadline.hpp"
#include "net/log.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <set>

namespace rockdove::server {

/// Somebody in line, for a link or for a place.
struct Agents::Waiter {
  Waiter(net::Executor executor, std::list<Waiter*>& queue, net::Duration limit)
      : line(queue), turn(executor), deadline(net::Deadlines::of(executor.context()), [this] {
          is_late = true;
          turn.notify();
        }) {
    line.push_back(this);
    deadline.set(limit);
  }
  ~Waiter() { line.remove(this); }

  std::list<Waiter*>& line;
  net::Event turn;
  net::Deadline deadline;
  bool is_late = false, is_called = false;
};

struct Agents::Tunnel {
  static constexpr std::size_t seen_max = 4096;  // links that are remembered for their reconnects

  std::string name;
  AgentLinks links;
  std::size_t running = 0;
  std::uint64_t turn = 0;  // counts requests
  std::size_t called = 0;  // of for_place: their place is free, they have yet to take it
  std::list<Waiter*> for_place;
  std::list<Waiter*> for_link;
  std::uint64_t links_accepted = 0;
  std::uint64_t past_in = 0, past_out = 0;  // bytes of links that are not in `links` any more
  std::uint64_t reconnects = 0;
  std::set<std::pair<std::string, int>> seen;  // agents and indices of the links there have been
  ops::HopTimes times;

  void forget(const AgentLink& link) {
    past_in += link.link->stats().bytes_in;
    past_out += link.link->stats().bytes_out;
  }

  void count(const tunnel::LinkHello& hello) {
    ++links_accepted;
    if (seen.contains({hello.agent, hello.link_index})) ++reconnects;
    else if (seen.size() < seen_max) seen.emplace(hello.agent, hello.link_index);
  }

  /// Calls those who may go, first come, first served.
  void call_next(std::size_t limit) {
    for (Waiter* waiter : for_place) {
      if (running + called >= limit) return;
      if (std::exchange(waiter->is_called, true)) continue;
      ++called;
      waiter->turn.notify();
    }
  }
};

/// One of a tunnel's running requests.
class Agents::Place {
 public:
  Place(Agents& agents, Tunnel& of) : tunnel(of), agents_(agents) { ++tunnel.running; }
  ~Place() {
    --tunnel.running;
    if (!tunnel.for_place.empty()) tunnel.call_next(agents_.limits_of(tunnel.name).running);
  }

  Tunnel& tunnel;

 private:
  Agents& agents_;
};

/// A body that keeps its request's place until it has been sent.
class Agents::PlacedBody final : public http::Body {
 public:
  PlacedBody(std::unique_ptr<http::Body> body, std::unique_ptr<Place> place)
      : place_(std::move(place)), body_(std::move(body)) {}
  Awaitable<Result<std::string_view>> read() override { return body_->read(); }
  const http::Fields& trailers() const override { return body_->trailers(); }

 private:
  std::unique_ptr<Place> place_;
  std::unique_ptr<http::Body> body_;
};

Agents::Agents(net::Executor executor, Options options)
    : executor_(executor), options_(std::move(options)), nobody_(std::make_unique<Tunnel>()) {}
Agents::~Agents() = default;

std::shared_ptr<AgentLink> Agents::add(AgentLink link) {
  auto added = std::make_shared<AgentLink>(std::move(link));
  Tunnel& tunnel = tunnel_named(added->hello.tunnel);
  const auto replaced = take_replaced(tunnel.links, added->hello);
  for (const auto& old : replaced) tunnel.forget(*old);
  add_link(tunnel.links, added);
  tunnel.count(added->hello);
  for (const auto& old : replaced) old->link->close("replaced");
  for (Waiter* waiter : tunnel.for_link) waiter->turn.notify();
  for (Waiter* waiter : nobody_->for_link) waiter->turn.notify();
  if (on_ready_) on_ready_(tunnel.name);
  return added;
}

void Agents::heard_of(AgentLink& link, std::vector<tunnel::UpstreamReport> upstreams) {
  link.upstreams = std::move(upstreams);
  const bool has_one_up = std::ranges::any_of(link.upstreams, &tunnel::UpstreamReport::up);
  if (has_one_up && on_ready_) on_ready_(link.hello.tunnel);
}

void Agents::remove(const std::shared_ptr<AgentLink>& link) {
  Tunnel& tunnel = tunnel_named(link->hello.tunnel);
  if (std::erase(tunnel.links, link) > 0) tunnel.forget(*link);
}

Awaitable<Result<http::Response>> Agents::handle(http::Request&& request) {
  const auto found = tunnel_for(request.context.tunnel);
  if (!found) return wait_for_tunnel(request, found.error());
  Tunnel& tunnel = **found;
  const bool has_room = tunnel.running < limits_of(tunnel.name).running && tunnel.for_place.empty();
  return has_room ? send(std::make_unique<Place>(*this, tunnel), request) : wait_and_send(tunnel, request);
}

/// No tunnel at all yet: a first agent may be on its way.
Awaitable<Result<http::Response>> Agents::wait_for_tunnel(http::Request& request,
                                                          boost::system::error_code why) {
  if (why != Error::no_agent) co_return why;
  const bool has_come = co_await wait_for_link(*nobody_, request.context);
  if (!has_come) co_return why;
  const auto found = tunnel_for(request.context.tunnel);
  if (!found) co_return found.error();
  auto response = co_await wait_and_send(**found, request);
  co_return response;
}

Awaitable<Result<http::Response>> Agents::wait_and_send(Tunnel& tunnel, http::Request& request) {
  if (request.context.record) request.context.record->tunnel = tunnel.name;
  auto place = co_await wait_for_place(tunnel);
  if (!place) co_return place.error();
  auto response = co_await send(std::move(*place), request);
  co_return response;
}

Awaitable<Result<std::unique_ptr<Agents::Place>>> Agents::wait_for_place(Tunnel& tunnel) {
  if (tunnel.for_place.size() >= limits_of(tunnel.name).waiting) co_return Error::queue_full;
  // Whoever leaves the line after having been called, cancelled or late, passes the call on.
  struct Turn {
    Agents& agents;
    Tunnel& tunnel;
    Waiter waiter;
    bool is_taken = false;
    ~Turn() {
      if (!waiter.is_called) return;
      --tunnel.called;
      if (!is_taken) tunnel.call_next(agents.limits_of(tunnel.name).running);
    }
  } turn{*this, tunnel, {executor_, tunnel.for_place, options_.queue_wait}};
  tunnel.call_next(limits_of(tunnel.name).running);  // there may be room that nobody has been called to yet
  while (!turn.waiter.is_called && !turn.waiter.is_late) co_await turn.waiter.turn.wait();
  if (!turn.waiter.is_called) co_return Error::queue_full;
  turn.is_taken = true;
  co_return std::make_unique<Place>(*this, tunnel);
}

/// To one agent after the other, as long as no upstream has seen the request.
Awaitable<Result<http::Response>> Agents::send(std::unique_ptr<Place> place, http::Request& request) {
  Tunnel& tunnel = place->tunnel;
  if (request.context.record) request.context.record->tunnel = tunnel.name;
  Tried tried;
  boost::system::error_code last = Error::no_agent;
  while (true) {
    const auto asked = net::Clock::now();
    const auto chosen = choose_link(tunnel.links, request.context.upstream, tried, asked, options_.fresh);
    if (!chosen) {
      if (last == Error::upstream_refused) co_return last;  // every agent's upstream is down
      const bool has_come = co_await wait_for_link(tunnel, request.context);
      if (has_come) continue;
      co_return last == Error::stream_refused ? make_error_code(Error::no_agent) : last;
    }
    chosen->last_turn = ++tunnel.turn;
    if (request.context.record) request.context.record->agent = chosen->hello.agent;
    auto response = co_await chosen->link->call(request);
    if (response) tunnel.times.add(request.context.record, asked, response->took);
    const bool is_unseen = !response && (response.error() == Error::stream_refused ||
                                         response.error() == Error::upstream_refused);
    if (response && response->body)
      response->body = std::make_unique<PlacedBody>(std::move(response->body), std::move(place));
    if (!is_unseen || request.used) co_return response;
    // The upstream has not seen a byte, so another agent may have it (RFC 9113 section 8.7).
    last = response.error();
    if (last == Error::upstream_refused) tried.agents.insert(chosen->hello.agent);
    else tried.links.insert(chosen);
    log::debug("server", "{}: agent {} did not take the request ({}), trying another", tunnel.name,
               chosen->hello.agent, error_name(last));
  }
}

/// True once a link has come; false after agent_wait, or at once for what is stored.
Awaitable<bool> Agents::wait_for_link(Tunnel& tunnel, const http::Context& context) {
  if (context.stored || options_.agent_wait <= net::Duration::zero()) co_return false;
  Waiter waiter(executor_, tunnel.for_link, options_.agent_wait);
  co_await waiter.turn.wait();
  co_return !waiter.is_late;
}

void Agents::revoke(const std::function<bool(const std::string& token_id)>& is_valid) {
  for (const auto& [name, tunnel] : tunnels_) {
    AgentLinks revoked;
    std::erase_if(tunnel->links, [&](const std::shared_ptr<AgentLink>& each) {
      if (is_valid(each->token_id)) return false;
      revoked.push_back(each);
      return true;
    });
    for (const auto& each : revoked) {
      log::info("server", "{}: agent {} is cut off, its token {} was revoked", name, each->hello.agent,
                each->token_id);
      tunnel->forget(*each);
      each->link->abort();
    }
  }
}

void Agents::drain() {
  for (const auto& [name, tunnel] : tunnels_)
    for (const auto& each : tunnel->links) each->link->drain("draining");
}

void Agents::abort_all() {
  for (const auto& [name, tunnel] : tunnels_)
    for (const auto& each : std::vector(tunnel->links)) each->link->abort();
}

Agents::Tunnel& Agents::tunnel_named(const std::string& name) {
  auto& tunnel = tunnels_[name];
  if (!tunnel) {
    tunnel = std::make_unique<Tunnel>();
    tunnel->name = name;
  }
  return *tunnel;
}

Result<Agents::Tunnel*> Agents::tunnel_for(const std::string& name) {
  if (!name.empty()) return &tunnel_named(name);
  if (known_.empty()) return Error::no_agent;
  // "The one tunnel there is": with several, a route has to say which.
  if (known_.size() > 1) return Error::no_route;
  return &tunnel_named(*known_.begin());
}

void Agents::set_options(Options options) {
  options_ = std::move(options);
  for (const auto& [name, tunnel] : tunnels_) tunnel->call_next(limits_of(name).running);
}

const Agents::Limits& Agents::limits_of(const std::string& name) const {
  const auto own = options_.tunnels.find(name);
  return own == options_.tunnels.end() ? options_.limits : own->second;
}

std::map<std::string, const ops::HopTimes*> Agents::hop_times() const {
  std::map<std::string, const ops::HopTimes*> times;
  for (const auto& [name, tunnel] : tunnels_) times[name] = &tunnel->times;
  return times;
}

std::map<std::string, std::set<std::string>> Agents::connected() const {
  std::map<std::string, std::set<std::string>> names;
  for (const std::string& name : known_) names[name];
  for (const auto& [name, tunnel] : tunnels_)
    for (const auto& each : tunnel->links) names[name].insert(each->hello.agent);
  return names;
}

std::size_t Agents::agent_count() const {
  std::size_t count = 0;
  for (const auto& [tunnel, agents] : connected()) count += agents.size();
  return count;
}

std::size_t Agents::link_count() const {
  std::size_t count = 0;
  for (const auto& [name, tunnel] : tunnels_) count += tunnel->links.size();
  return count;
}

namespace {

boost::json::object link_json(const AgentLink& each, net::Clock::time_point now) {
  const tunnel::Link::Stats& stats = each.link->stats();
  const auto seconds = [](net::Duration time) { return std::chrono::duration<double>(time).count(); };
  boost::json::object link;
  link["index"] = each.hello.link_index;
  link["since_s"] = seconds(now - stats.since);
  link["last_byte_ms"] = static_cast<std::uint64_t>(seconds(now - stats.last_byte) * 1000);
  link["rtt_ms"] = seconds(stats.rtt) * 1000;
  link["outstanding"] = each.link->open_streams();
  link["bytes_in"] = stats.bytes_in;
  link["bytes_out"] = stats.bytes_out;
  return link;
}

boost::json::object agent_json(const AgentLink& each, bool with_places) {
  boost::json::array upstreams;
  for (const tunnel::UpstreamReport& report : each.upstreams) {
    boost::json::object upstream;
    upstream["name"] = report.name;
    if (with_places) upstream["url"] = report.url;
    upstream["up"] = report.up;
    upstream["detail"] = report.detail;
    upstreams.push_back(std::move(upstream));
  }
  boost::json::object agent;
  agent["name"] = each.hello.agent;
  agent["version"] = each.hello.version;
  if (with_places) agent["address"] = each.address;
  agent["draining"] = !each.link->takes_streams();
  agent["upstreams"] = std::move(upstreams);
  agent["links"] = boost::json::array();
  return agent;
}

}  // namespace

boost::json::array Agents::to_json(bool with_places) const {
  const auto now = net::Clock::now();
  boost::json::array tunnels;
  for (const auto& [name, tunnel] : tunnels_) {
    std::map<std::string, boost::json::object> agents;
    std::uint64_t bytes_in = tunnel->past_in, bytes_out = tunnel->past_out;
    for (const auto& each : tunnel->links) {
      bytes_in += each->link->stats().bytes_in;
      bytes_out += each->link->stats().bytes_out;
      const auto agent = agents.try_emplace(each->hello.agent, agent_json(*each, with_places)).first;
      agent->second["links"].as_array().push_back(link_json(*each, now));
    }
    boost::json::array list;
    for (auto& [agent_name, agent] : agents) list.push_back(std::move(agent));
    boost::json::object one;
    one["name"] = name;
    one["running"] = tunnel->running;
    one["waiting"] = tunnel->for_place.size() + tunnel->for_link.size();
    one["links_accepted"] = tunnel->links_accepted;
    one["reconnects"] = tunnel->reconnects;
    one["bytes_in"] = bytes_in;
    one["bytes_out"] = bytes_out;
    one["agents"] = std::move(list);
    tunnels.push_back(std::move(one));
  }
  return tunnels;
}

}  // namespace rockdove::server
