#include "server/admin.hpp"

#include "http/error_response.hpp"
#include "net/crypto.hpp"

namespace rockdove::server {
namespace {

constexpr std::string_view scheme = "Bearer";

http::Response refusal(const http::Request& request) {
  auto response =
      http::error_response(401, "unauthorized",
                           "the API takes the token in the file admin-token of the server's data directory, "
                           "as Authorization: Bearer TOKEN",
                           request.context.request_id);
  response.fields.add("WWW-Authenticate", "Bearer realm=\"rockdove\"");
  return response;
}

}  // namespace

Admin::Admin(Pages pages, std::string token, http::Handler* api)
    : pages_(std::move(pages)), token_(std::move(token)), api_(api) {}

Awaitable<Result<http::Response>> Admin::handle(http::Request&& request) {
  if (request.target.starts_with("/api/")) {
    if (!is_authorized(request)) {
      ++counters_.unauthorized;
      return http::ready(refusal(request));
    }
    if (!api_) return http::ready(Error::not_found);
    ++counters_.requests;
    request.fields.remove("Authorization");  // nobody behind here has any use for it
    return api_->handle(std::move(request));
  }
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  if (auto page = is_read ? pages_(request.target) : std::nullopt) return http::ready(std::move(*page));
  return http::ready(Error::not_found);
}

/// Whatever is wrong, the answer is the same.
bool Admin::is_authorized(const http::Request& request) const {
  if (token_.empty() || request.fields.count("Authorization") != 1) return false;
  std::string_view value = *request.fields.get("Authorization");
  if (value.size() <= scheme.size() || !http::iequals(value.substr(0, scheme.size()), scheme)) return false;
  value.remove_prefix(scheme.size());
  const auto blanks = value.find_first_not_of(' ');
  if (blanks == 0 || blanks == value.npos) return false;
  value.remove_prefix(blanks);
  // The digests have one size, so that not even the token's shows in the time.
  return net::equal_in_constant_time(net::sha256(value), net::sha256(token_));
}

}  // namespace rockdove::server
