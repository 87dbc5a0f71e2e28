// Where agents come in: TLS, the upgrade request, the token, then a link that runs.
#pragma once

#include "net/listener.hpp"
#include "net/log_pace.hpp"
#include "net/tls.hpp"
#include "server/agents.hpp"
#include "server/egress.hpp"
#include "server/handshakes.hpp"
#include "server/probes.hpp"
#include "server/tokens.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace rockdove::server {

/// Turns accepted connections into links of `agents`, or of `egress`, as the agent asks. Loop thread only.
class LinkPort {
 public:
  struct Options {
    std::size_t handshakes = 64;  ///< at a time, a quarter of them with one peer; see Handshakes for more
    net::Duration handshake_timeout = std::chrono::seconds(10);  ///< TCP accepted to link running
    net::Duration first_byte_timeout = std::chrono::seconds(3);  ///< TCP accepted to the first byte
    tunnel::Link::Options link;
    Probes::Options probes;
  };

  /// `agents`, `egress` and `tokens` must outlive the port. `refresh` sees to it that `tokens` is up to date:
  /// a token may have been made a moment ago. `tls`: null for plain connections.
  LinkPort(Agents& agents, Egress& egress, const TokenStore& tokens, std::function<void()> refresh,
           std::shared_ptr<net::TlsContext> tls, Options options);

  /// Serves one agent's connection until its link has ended.
  Awaitable<void> serve(net::TcpSocket socket);

  /// New links get this context, running ones keep theirs.
  void set_tls(std::shared_ptr<net::TlsContext> tls) { tls_ = std::move(tls); }
  /// From now on agents are told to come back later.
  void drain() { draining_ = true; }
  const Handshakes& handshakes() const { return handshakes_; }

 private:
  struct Welcome {
    tunnel::LinkHello hello;
    std::string token_id;
    std::string early;
  };
  Awaitable<bool> is_talking(net::Stream& stream);
  Awaitable<Result<Welcome>> welcome(net::Stream& stream, Handshakes::Place& handshake);
  Awaitable<Result<Welcome>> refuse(net::Stream& stream, tunnel::LinkRefusal refusal);
  std::optional<tunnel::LinkRefusal> objection(const Result<tunnel::LinkHello>& hello, std::string& token_id);
  Awaitable<boost::system::error_code> serve_ingress(net::Stream stream, AgentLink entry, std::string early);
  Awaitable<void> serve_probe(net::Stream stream, Welcome welcome);
  void on_note(AgentLink& link, std::string_view text);

  Agents& agents_;
  Egress& egress_;
  const TokenStore& tokens_;
  const std::function<void()> refresh_;
  std::shared_ptr<net::TlsContext> tls_;
  const Options options_;
  Handshakes handshakes_;
  Probes probes_;
  net::LogPace refusals_;
  bool draining_ = false;
};

}  // namespace rockdove::server
