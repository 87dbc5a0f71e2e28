#include "server/link_port.hpp"

#include "http/parser.hpp"
#include "net/address.hpp"
#include "net/deadline.hpp"
#include "net/log.hpp"

namespace rockdove::server {
namespace {

constexpr std::size_t hello_bytes_max = 8 * 1024;
constexpr std::chrono::seconds probe_pause{10};

std::chrono::milliseconds now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace

LinkPort::LinkPort(Agents& agents, Egress& egress, const TokenStore& tokens, std::function<void()> refresh,
                   std::shared_ptr<net::TlsContext> tls, Options options)
    : agents_(agents),
      egress_(egress),
      tokens_(tokens),
      refresh_(std::move(refresh)),
      tls_(std::move(tls)),
      options_(std::move(options)),
      handshakes_(options_.handshakes),
      probes_(options_.probes) {}

Awaitable<void> LinkPort::serve(net::TcpSocket socket) {
  net::Stream stream(std::move(socket));
  // Agents that come back all at once after an outage must not make each other time out.
  auto handshake = handshakes_.enter(stream.peer().address(), [&stream] { stream.close(); });
  if (!handshake) co_return;
  auto limit = std::make_unique<net::Deadline>(net::Deadlines::of(stream.executor().context()),
                                               [&stream] { stream.close(); });
  limit->set(options_.handshake_timeout);
  const std::string peer = net::to_string(stream.peer());
  if (!co_await is_talking(stream)) co_return;
  const auto tls = tls_;
  if (tls) {
    auto secured = co_await stream.accept_tls(*tls);
    if (!secured) {
      log::debug("link", "{}: no TLS: {}", peer, secured.error().message());
      co_return;
    }
  }
  auto welcomed = co_await welcome(stream, *handshake);
  limit.reset();
  handshake.reset();
  if (!welcomed) {
    log::debug("link", "{}: no link: {}", peer, welcomed.error().message());
    co_return;
  }
  refresh_();  // it may have been revoked while the answer was being written
  if (!tokens_.verify(welcomed->hello.secret)) co_return;
  if (welcomed->hello.direction == tunnel::Direction::probe) {
    co_await serve_probe(std::move(stream), std::move(*welcomed));
    co_return;
  }
  AgentLink entry;
  entry.hello = std::move(welcomed->hello);
  entry.token_id = std::move(welcomed->token_id);
  entry.address = peer;
  const tunnel::LinkHello hello = entry.hello;
  const bool is_egress = hello.direction == tunnel::Direction::egress;
  const char* const kind = is_egress ? "egress link" : "link";
  log::info("link", "{}: agent {} connected from {} ({} {})", hello.tunnel, hello.agent, peer, kind,
            hello.link_index);
  std::string early = std::move(welcomed->early);
  auto link = is_egress ? egress_.serve(std::move(stream), std::move(entry), std::move(early), options_.link)
                        : serve_ingress(std::move(stream), std::move(entry), std::move(early));
  const auto why = co_await std::move(link);
  log::info("link", "{}: agent {} disconnected ({} {}): {}", hello.tunnel, hello.agent, kind,
            hello.link_index, why.message());
}

Awaitable<boost::system::error_code> LinkPort::serve_ingress(net::Stream stream, AgentLink entry,
                                                             std::string early) {
  // The hooks need the entry that the registry makes; it outlives the link's run below.
  auto registered = std::make_shared<AgentLink*>(nullptr);
  tunnel::Link::Hooks hooks;
  hooks.on_note = [this, registered](std::string_view text) {
    if (*registered) on_note(**registered, text);
  };
  entry.link = std::make_shared<tunnel::Link>(std::move(stream), tunnel::Side::server, tunnel::Role::opener,
                                              nullptr, options_.link, std::move(hooks));
  const auto link = entry.link;
  const auto added = agents_.add(std::move(entry));
  *registered = added.get();
  struct Leave {
    Agents& agents;
    std::shared_ptr<AgentLink> link;
    std::shared_ptr<AgentLink*> registered;
    ~Leave() {
      *registered = nullptr;
      agents.remove(link);
    }
  } leave{agents_, added, registered};
  const auto why = co_await link->run(std::move(early));
  co_return why;
}

Awaitable<void> LinkPort::serve_probe(net::Stream stream, Welcome welcome) {
  log::info("link", "{}: agent {} at {} looks whether it can connect (a probe)", welcome.hello.tunnel,
            welcome.hello.agent, net::to_string(stream.peer()));
  std::function<bool()> is_welcome = [this, secret = std::move(welcome.hello.secret)] {
    refresh_();
    return tokens_.verify(secret).has_value();
  };
  co_await probes_.serve(std::move(stream), std::move(welcome.early), std::move(is_welcome));
}

/// Agents speak first, and at once.
Awaitable<bool> LinkPort::is_talking(net::Stream& stream) {
  net::Deadline patience(net::Deadlines::of(stream.executor().context()), [&stream] { stream.close(); });
  patience.set(options_.first_byte_timeout);
  auto [error] = co_await stream.tcp().async_wait(net::TcpSocket::wait_read, net::token);
  co_return !error;
}

/// Reads the upgrade request and answers it.
Awaitable<Result<LinkPort::Welcome>> LinkPort::welcome(net::Stream& stream, Handshakes::Place& handshake) {
  http::HeadLimits limits;
  limits.header_bytes = hello_bytes_max;
  std::string buffer(hello_bytes_max, '\0');
  std::size_t filled = 0, scanned = 0, head_size = 0;
  while (head_size == 0) {
    if (filled == buffer.size()) co_return Error::header_too_large;
    auto [error, size] = co_await stream.async_read_some(
        net::asio::buffer(buffer.data() + filled, buffer.size() - filled), net::token);
    if (error) co_return error;
    filled += size;
    const auto found = http::find_head({buffer.data(), filled}, limits, scanned);
    if (!found) {
      tunnel::LinkRefusal refusal{400, "protocol", "this port is for rockdove agents", {}};
      auto refused = co_await refuse(stream, std::move(refusal));
      co_return refused;
    }
    head_size = *found;
  }
  handshake.said_hello();
  Welcome welcome;
  std::string key;
  const auto head = http::parse_request_head({buffer.data(), head_size}, limits);
  auto hello = head ? tunnel::read_hello(*head, key) : Result<tunnel::LinkHello>(Error::protocol);
  if (auto refusal = objection(hello, welcome.token_id)) {
    tunnel::LinkRefusal taken = std::move(*refusal);
    auto refused = co_await refuse(stream, std::move(taken));
    co_return refused;
  }
  welcome.hello = std::move(*hello);
  welcome.early.assign(buffer.data() + head_size, filled - head_size);
  const bool is_probe = welcome.hello.direction == tunnel::Direction::probe;
  const std::string answer = is_probe ? tunnel::write_accept(key, now()) : tunnel::write_accept(key);
  auto [error, written] = co_await stream.async_write(net::asio::buffer(answer), net::token);
  if (error) co_return error;
  co_return welcome;
}

/// Why this agent may not have a link now, if so.
std::optional<tunnel::LinkRefusal> LinkPort::objection(const Result<tunnel::LinkHello>& hello,
                                                       std::string& token_id) {
  if (!hello && hello.error() == Error::protocol)
    return tunnel::LinkRefusal{400, "protocol", "this port is for rockdove agents", {}};
  if (draining_)
    return tunnel::LinkRefusal{503, "draining", "the server is stopping", std::chrono::milliseconds(1000)};
  refresh_();
  const auto token = hello ? tokens_.verify(hello->secret) : std::nullopt;
  if (!token)
    return tunnel::LinkRefusal{
        401, "unauthorized", "the token is unknown or was revoked: ask for a new join string", {}};
  if (token->tunnel != hello->tunnel)
    return tunnel::LinkRefusal{403, "tunnel_mismatch", "the token is for another tunnel", {}};
  if (hello->direction == tunnel::Direction::probe && !probes_.has_place())
    return tunnel::LinkRefusal{503, "busy", "too many probes are running", probe_pause};
  token_id = token->id;
  return std::nullopt;
}

Awaitable<Result<LinkPort::Welcome>> LinkPort::refuse(net::Stream& stream, tunnel::LinkRefusal refusal) {
  if (const auto others = refusals_.pass())
    log::warn("link", "{}: turned away: {}{}", net::to_string(stream.peer()), refusal.message, *others);
  const std::string answer = tunnel::write_refusal(refusal);
  auto [error, written] = co_await stream.async_write(net::asio::buffer(answer), net::token);
  if (!error) co_await stream.shutdown_write();
  co_return refusal.reason == "unauthorized" ? Error::unauthorized : Error::protocol;
}

void LinkPort::on_note(AgentLink& link, std::string_view text) {
  auto report = tunnel::decode_report(text);
  if (!report)
    return log::warn("link", "{}: agent {} sent a note nobody understands", link.hello.tunnel,
                     link.hello.agent);
  for (const tunnel::UpstreamReport& now : *report)
    for (const tunnel::UpstreamReport& before : link.upstreams) {
      if (before.name != now.name || before.up == now.up || link.hello.link_index != 0) continue;
      if (now.up)
        log::info("link", "{}: agent {}: upstream {} is up again", link.hello.tunnel, link.hello.agent,
                  now.url);
      else
        log::warn("link", "{}: agent {}: upstream {} is down: {}", link.hello.tunnel, link.hello.agent,
                  now.url, now.detail);
    }
  agents_.heard_of(link, std::move(*report));
}

}  // namespace rockdove::server
