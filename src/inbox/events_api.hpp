// The admin API of the inbox: events as JSON, for people's tools and scripts. docs/admin-api.md describes it.
#pragma once

#include "http/handler.hpp"
#include "inbox/deliverer.hpp"
#include "inbox/store.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace rockdove::inbox {

/// Answers `/api/v1/events…` and `/api/v1/routes/NAME/pause|resume`. The caller has been authenticated.
class EventsApi final : public http::Handler {
 public:
  using IsRoute = std::function<bool(std::string_view name)>;

  /// `is_route` tells the names of the configuration, so that a mistyped one is not paused in silence; left
  /// empty, every name will do.
  EventsApi(Store& store, Deliverer& deliverer, WallClock clock, IsRoute is_route = {});

  /// Never an error that the API itself can describe: those are answers.
  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

 private:
  struct Call;
  using Action = Awaitable<Result<http::Response>> (EventsApi::*)(Call call);
  struct Endpoint;
  struct Wake;
  static const Endpoint* find(const Call& call);

  Awaitable<Result<http::Response>> list(Call call);
  Awaitable<Result<http::Response>> show(Call call);
  Awaitable<Result<http::Response>> show_body(Call call);
  Awaitable<Result<http::Response>> replay(Call call);
  Awaitable<Result<http::Response>> purge(Call call);
  Awaitable<Result<http::Response>> pause(Call call);
  Awaitable<Result<http::Response>> resume(Call call);

  Awaitable<Result<void>> check_route(std::string route);
  http::Response failure(boost::system::error_code error, const Call& call) const;
  void wake(std::string_view route);

  Store& store_;
  Deliverer& deliverer_;
  const WallClock clock_;
  const IsRoute is_route_;
};

}  // namespace rockdove::inbox
