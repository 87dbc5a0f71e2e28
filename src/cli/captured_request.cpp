#include "cli/captured_request.hpp"

#include "http/parser.hpp"

#include <stdexcept>
#include <utility>

namespace rockdove::cli {
namespace {

/// Cuts the head off, its lines ending as on the wire.
std::string cut_head(std::string_view& text) {
  std::string head;
  for (;;) {
    const auto end = text.find('\n');
    if (end == text.npos) throw std::runtime_error("there is no empty line between head and body");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    head.append(line).append("\r\n");
    if (line.empty()) return head;
  }
}

}  // namespace

CapturedRequest parse_captured(std::string_view text) {
  const std::string head = cut_head(text);
  auto parsed = http::parse_request_head(head, http::HeadLimits{});
  if (!parsed)
    throw std::runtime_error("its head is not that of an HTTP/1.1 request: " + parsed.error().message());
  if (parsed->framing == http::Framing::chunked)
    throw std::runtime_error("it has Transfer-Encoding: save the decoded body, and leave that line out");
  if (parsed->framing == http::Framing::length && text.size() != parsed->content_length) {
    const bool is_editors =
        text.substr(0, parsed->content_length) != text &&
        (text.substr(parsed->content_length) == "\n" || text.substr(parsed->content_length) == "\r\n");
    if (!is_editors)
      throw std::runtime_error("its body has " + std::to_string(text.size()) +
                               " bytes, its Content-Length says " + std::to_string(parsed->content_length));
    text = text.substr(0, parsed->content_length);
  }
  return {std::move(parsed->method), std::move(parsed->target), std::move(parsed->fields), std::string(text)};
}

}  // namespace rockdove::cli
