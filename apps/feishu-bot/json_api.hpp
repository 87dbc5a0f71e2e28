// Calls an HTTP API that speaks JSON, below a base URL.
#pragma once

#include "base/host_port.hpp"
#include "http/handler.hpp"

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace rockdove::feishu_bot {

/// Where an API is: "http://127.0.0.1:5001/feishu" and "https://open.feishu.cn" are both base URLs.
struct BaseUrl {
  HostPort address;
  bool tls = false;
  std::string prefix;  ///< stands before every target: "/feishu", or ""
};

/// Error::malformed for anything but an http or https URL without a query.
Result<BaseUrl> parse_base_url(std::string_view text);

/// Why a call brought nothing.
struct Failure {
  enum class Kind {
    unreachable,  ///< nobody answered, or somebody on the way there says that it got no answer
    timed_out,    ///< the same, by waiting too long
    unreadable,   ///< the answer is no JSON of the API
    refused,      ///< the API says no: see `code`
  };
  Kind kind = Kind::unreachable;
  int status = 0;                       ///< HTTP's; 0: there was no answer
  std::string code;                     ///< the API's own, or the cause that stands in an error of a proxy
  std::string message;                  ///< for the log
  std::chrono::seconds retry_after{0};  ///< the API asks to wait for so long; 0: it does not
};

template <class T>
using Outcome = boost::system::result<T, Failure>;

/// For the log: "refused, HTTP 400, code 230001: param error".
std::string to_string(const Failure& failure);

class JsonApi {
 public:
  struct Options {
    std::string prefix;                                ///< of a BaseUrl
    net::Duration timeout = std::chrono::seconds(10);  ///< for an answer's head
    std::size_t answer_bytes = 16 * 1024 * 1024;       ///< a longer answer is unreadable
  };
  struct Call {
    std::string method, target;
    std::string authorization;  ///< value of the field; empty: none
    std::string body;           ///< JSON; empty: none
  };
  struct Answer {
    int status = 0;
    http::Fields fields;
    boost::json::value body;
  };

  /// `http` must outlive it.
  JsonApi(http::Handler& http, Options options) : http_(http), options_(std::move(options)) {}

  /// An answer of any status that is JSON, unless it is the error of a proxy on the way (see
  /// http/error_response.hpp). Never Failure::Kind::refused: codes are for those who know the API.
  Awaitable<Outcome<Answer>> call(Call call);

 private:
  http::Handler& http_;
  const Options options_;
};

}  // namespace rockdove::feishu_bot
