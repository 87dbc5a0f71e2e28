// Calls of the Lingxing OpenAPI for bots that have neither its token nor its sign: both come on here.
#pragma once

#include "base/backoff.hpp"
#include "egress/lingxing_call.hpp"
#include "egress/lingxing_gates.hpp"
#include "egress/lingxing_tokens.hpp"

#include <memory>
#include <string>

namespace rockdove::egress {

/// Takes a plain business request (`GET /erp/sc/data/seller/lists`; `POST /erp/sc/data/mws/orders` with
/// JSON), adds access_token, app_key, timestamp and sign, and hands it on. Lingxing invalidates a token when
/// another is fetched for the same app, so one process holds it for all. Calls of one path run one at a time,
/// or as many as `buckets` says; the others wait in line, where Lingxing would refuse them with 3001008.
///
/// Sent a second time is only what Lingxing says it has not done: once with a fresh token after 2001003 or
/// 2001005, and after 3001008 and 103 with growing pauses within `wait_limit`. Whatever else it answers goes
/// to the caller as it is, and so does a 3001008 that does not end.
///
/// A redirect is not passed on: its Location may repeat the query, and with it the token (502
/// `lingxing_redirect`).
///
/// What cannot be signed is refused with 4xx (lingxing_call()); 503 `queue_full` if there was no place in
/// time; 502 `lingxing_token` with Lingxing's own words if it gives no token. Neither token nor secret is
/// ever in a log or an answer of ours. Loop thread only; close() must have returned before it is destroyed.
class Lingxing final : public http::Handler {
 public:
  struct Options {
    std::string app_id;      ///< 16, 24 or 32 bytes
    std::string app_secret;  ///< not empty
    LingxingGates::Options gates;
    LingxingToken::Options token;
    std::size_t calls = 128;               ///< at a time, running and waiting; Error::queue_full
    std::size_t body_bytes = 1024 * 1024;  ///< of a call; Error::body_too_large
    net::Duration body_limit = std::chrono::seconds(30);   ///< for all of it; Error::body_timed_out
    std::size_t peek_bytes = 64 * 1024;                    ///< a longer answer streams, its `code` unread
    net::Duration wait_limit = std::chrono::seconds(130);  ///< for a place, a token and the end of 3001008
    net::Duration call_limit = std::chrono::seconds(130);  ///< of one exchange; Lingxing gives up after 120 s
    net::Duration fetch_limit = std::chrono::seconds(30);  ///< of an exchange with a token endpoint
    /// The pauses after 3001008. Not shorter: each try costs Lingxing a request.
    BackoffOptions busy{std::chrono::milliseconds(200), std::chrono::milliseconds(500),
                        std::chrono::milliseconds(5000), std::chrono::milliseconds(60'000)};
  };
  struct Counters {
    std::uint64_t calls = 0, refused = 0;  ///< calls that came; of them, those answered here
    std::uint64_t sent = 0;                ///< exchanges, repetitions included
    std::uint64_t stale = 0, busy = 0;     ///< answers after which a call was sent again
    LingxingTokens::Counters tokens;
  };

  /// `next` reaches https://openapi.lingxing.com. Throws std::invalid_argument for an appId that is no AES
  /// key, or without a secret.
  Lingxing(net::Executor executor, std::shared_ptr<http::Handler> next, Options options, WallClock clock);
  ~Lingxing() override;

  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  /// What the configuration says now, of the same app. Counts for calls in line too; its token stays, unless
  /// the secret is another one.
  void adopt(std::shared_ptr<http::Handler> next, std::string app_secret, LingxingGates::Buckets buckets);

  Counters counters() const;
  /// Calls that wait for a place.
  std::size_t waiting() const { return gates_.waiting(); }
  /// Ends what runs and waits for it; calls of handle() have to be over.
  Awaitable<void> close();

 private:
  struct Wait;
  class PlacedBody;
  using Place = std::unique_ptr<LingxingGates::Place>;

  struct Reading;
  Awaitable<Result<void>> read_body(http::Request& request);
  static Awaitable<void> read(std::size_t limit, std::shared_ptr<Reading> reading);
  Awaitable<Result<http::Response>> serve(LingxingCall call);
  Awaitable<Result<http::Response>> send(const LingxingCall& call, const std::string& token);
  Awaitable<bool> pause(std::chrono::milliseconds time, Wait& wait);
  http::Response without_token(const LingxingTokens::Given& given, const std::string& request_id);

  const net::Executor executor_;
  const Options options_;
  const WallClock clock_;
  LingxingApi api_;
  LingxingTokens tokens_;
  LingxingGates gates_;
  Counters counters_;
  std::size_t running_ = 0;
  net::TaskGroup readings_;
};

}  // namespace rockdove::egress
