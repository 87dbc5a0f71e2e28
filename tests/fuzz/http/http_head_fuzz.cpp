// Heads of requests and responses: what is accepted has one reading only, however it arrives.
#include "http/parser.hpp"

#include <cstdlib>
#include <string>

namespace {

using namespace rockdove;
using namespace rockdove::http;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

bool is_same(const Fields& a, const Fields& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a.at(i).name != b.at(i).name || a.at(i).value != b.at(i).value) return false;
  return true;
}

std::string written(std::string first_line, const Fields& fields) {
  for (const Fields::Field field : fields) {
    require(is_token(field.name) && is_field_value(field.value) && is_one_line(field.value));
    first_line.append("\r\n").append(field.name).append(": ").append(field.value);
  }
  return first_line + "\r\n\r\n";
}

template <class Head>
void check_framing(const Head& head) {
  const std::size_t lengths = head.fields.count("content-length");
  const std::size_t codings = head.fields.count("transfer-encoding");
  require(lengths + codings <= 1);
  require(head.framing != Framing::length || lengths == 1);
  require(head.framing != Framing::chunked || codings == 1);
}

// White space around a value is not kept, and may have taken the original to just below the limit.
HeadLimits twice(HeadLimits limits) {
  limits.header_bytes *= 2;
  return limits;
}

void check_request(std::string_view head, const HeadLimits& limits) {
  const auto parsed = parse_request_head(head, limits);
  if (!parsed) return;
  require(is_token(parsed->method) && is_one_line(parsed->target) &&
          parsed->target.find(' ') == std::string::npos);
  require(parsed->target.size() <= limits.target_bytes && parsed->fields.size() <= limits.fields);
  require(parsed->framing != Framing::until_close);
  check_framing(*parsed);
  const std::string line =
      parsed->method + " " + parsed->target + " HTTP/1." + std::to_string(parsed->minor_version);
  const auto again = parse_request_head(written(line, parsed->fields), twice(limits));
  require(again && again->method == parsed->method && again->target == parsed->target);
  require(is_same(again->fields, parsed->fields) && again->framing == parsed->framing);
  require(again->content_length == parsed->content_length && again->keep_alive == parsed->keep_alive);
}

void check_response(std::string_view head, const HeadLimits& limits, std::string_view method) {
  const auto parsed = parse_response_head(head, limits, method);
  if (!parsed) return;
  require(parsed->status >= 100 && parsed->status <= 999 && parsed->fields.size() <= limits.fields);
  require(parsed->framing != Framing::until_close || !parsed->keep_alive);
  check_framing(*parsed);
  const std::string line =
      "HTTP/1." + std::to_string(parsed->minor_version) + " " + std::to_string(parsed->status);
  const auto again = parse_response_head(written(line, parsed->fields), twice(limits), method);
  require(again && again->status == parsed->status && is_same(again->fields, parsed->fields));
  require(again->framing == parsed->framing && again->keep_alive == parsed->keep_alive);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits{64, 512, 8};
  std::size_t scanned = 0;
  const auto whole = find_head(bytes, limits, scanned);
  require(scanned <= size);

  for (std::size_t cut = 0; cut < size; cut += 1 + size / 256) {
    std::size_t resumed = 0;
    const auto first = find_head(bytes.substr(0, cut), limits, resumed);
    if (!first || *first > 0) require(first == whole);  // early, but never another answer
    else require(find_head(bytes, limits, resumed) == whole);
  }

  const std::string_view head = whole ? bytes.substr(0, *whole) : std::string_view{};
  require(head.empty() || (head.ends_with("\r\n\r\n") && head.size() <= limits.header_bytes));
  // The parsers are strict on their own, too: they take nothing that find_head() would not have found.
  if (parse_request_head(bytes, limits)) require(head.size() == size);
  if (parse_response_head(bytes, limits, "GET")) require(head.size() == size);
  check_request(head, limits);
  for (const std::string_view method : {"GET", "HEAD", "CONNECT"}) check_response(head, limits, method);
  return 0;
}
