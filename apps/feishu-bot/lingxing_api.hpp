// Two business calls of Lingxing ERP's OpenAPI (apidoc.lingxing.com). Access token and signature are added on
// the way out by rockdove's server; see docs/lingxing.md.
#pragma once

#include "feishu-bot/json_api.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rockdove::feishu_bot {

struct Seller {
  std::string sid, name, country;
  std::int64_t status = 1;  ///< 0 sync stopped, 1 normal, 2 authorisation broken, 3 unpaid
};

struct Order {
  std::string shop, state, currency;  ///< state as Amazon calls it: "Unshipped"
  std::int64_t amount = 0;            ///< in cents of a cent: 1.5 is 15000; one that costs nothing yet: 0
  bool has_amount = true;             ///< false: what stands there is no amount, or too large for one
};

struct Orders {
  std::vector<Order> list;
  std::size_t total = 0;  ///< as Lingxing counts; more than list.size() if there were more than orders_max
};

class LingxingApi {
 public:
  struct Options {
    std::size_t page = 1000;          ///< orders a request; Lingxing's limit is 5000; more are dropped
    std::size_t orders_max = 20'000;  ///< more are not fetched: each thousand takes a call and about 1 MB
  };

  /// `api` must outlive it.
  LingxingApi(JsonApi& api, Options options) : api_(api), options_(options) {}

  /// GET /erp/sc/data/seller/lists: all shops that the company has authorised.
  Awaitable<Outcome<std::vector<Seller>>> sellers();

  /// POST /erp/sc/data/mws/orders, page after page: ordered from `first` to before `end`, days such as
  /// "2026-11-24" in the time of each shop's site.
  Awaitable<Outcome<Orders>> orders(std::string first, std::string end);

 private:
  Awaitable<Outcome<boost::json::value>> ask(JsonApi::Call call);

  JsonApi& api_;
  const Options options_;
};

/// "-12.345" in cents of a cent, what is smaller than one cut off; 0 for "". Nothing for what is no such
/// number, or has more than 12 digits before the point.
std::optional<std::int64_t> parse_amount(std::string_view text);

}  // namespace rockdove::feishu_bot
