// The part of the admin API that says, and changes, how much is logged.
#pragma once

#include "http/handler.hpp"

namespace rockdove::server {

/// GET and PUT of {"level": "info", "levels": {"link": "debug"}}, as [log] has them (docs/admin-api.md). A
/// change holds until the next one, a SIGHUP or the end of the process.
class LogApi final : public http::Handler {
 public:
  Awaitable<Result<http::Response>> handle(http::Request&& request) override;
};

}  // namespace rockdove::server
