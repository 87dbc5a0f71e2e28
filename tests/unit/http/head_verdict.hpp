// What the tests of heads share: a whole head in, one word or the parsed head out.
#pragma once

#include "http/parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace rockdove::http {

inline const HeadLimits limits;

inline std::string name_of(boost::system::error_code error) {
  return std::string(error_name(error));
}

/// What a whole connection would do: find the head, then parse it. "ok", "more" or the error's name.
inline std::string verdict_on_request(std::string_view bytes, const HeadLimits& with = limits) {
  std::size_t scanned = 0;
  const auto size = find_head(bytes, with, scanned);
  if (!size) return name_of(size.error());
  if (*size == 0) return "more";
  const auto head = parse_request_head(bytes.substr(0, *size), with);
  return head ? "ok" : name_of(head.error());
}

inline std::string verdict_on_response(std::string_view bytes, std::string_view method = "GET") {
  std::size_t scanned = 0;
  const auto size = find_head(bytes, limits, scanned);
  if (!size) return name_of(size.error());
  if (*size == 0) return "more";
  const auto head = parse_response_head(bytes.substr(0, *size), limits, method);
  return head ? "ok" : name_of(head.error());
}

inline std::string get_with(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

inline RequestHead parse(std::string_view head) {
  auto parsed = parse_request_head(head, limits);
  if (parsed) return std::move(*parsed);
  ADD_FAILURE() << name_of(parsed.error()) << " for " << head;
  return {};
}

inline ResponseHead parse_response(std::string_view head, std::string_view method = "GET") {
  auto parsed = parse_response_head(head, limits, method);
  if (parsed) return std::move(*parsed);
  ADD_FAILURE() << name_of(parsed.error()) << " for " << head;
  return {};
}

}  // namespace rockdove::http
