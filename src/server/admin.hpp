// The admin port's Handler: pages for whoever may reach it, the API for whoever has the token.
#pragma once

#include "http/handler.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::server {

/// Answers GET and HEAD of pages to everybody, and hands requests below /api/ on if they carry
/// `Authorization: Bearer TOKEN` (RFC 6750 section 2.1).
class Admin final : public http::Handler {
 public:
  /// The page of that name, /health for example; null if there is none.
  using Pages = std::function<std::optional<http::Response>(std::string_view target)>;
  struct Counters {
    std::uint64_t requests = 0;      ///< handed to the API
    std::uint64_t unauthorized = 0;  ///< refused: no token, or a wrong one
  };

  /// `api` may be null: there is no API then, whatever the token; else it must outlive this. An empty `token`
  /// opens nothing.
  Admin(Pages pages, std::string token, http::Handler* api);

  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  const Counters& counters() const { return counters_; }

 private:
  bool is_authorized(const http::Request& request) const;

  const Pages pages_;
  const std::string token_;
  http::Handler* const api_;
  Counters counters_;
};

}  // namespace rockdove::server
