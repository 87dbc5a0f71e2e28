#include "net/proxy.hpp"

#include "base/percent.hpp"
#include "base/text.hpp"
#include "net/address.hpp"
#include "net/crypto.hpp"
#include "net/deadline.hpp"
#include "net/log.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <utility>

namespace rockdove::net {
namespace {

constexpr std::size_t head_max = 8 * 1024;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::optional<std::string> first_set(const Environment& environment,
                                     std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto value = environment(name); value && !trim(*value).empty()) return std::string(trim(*value));
  return std::nullopt;
}

std::optional<Address> address_of(const std::string& host) {
  boost::system::error_code error;
  const Address address = asio::ip::make_address(host, error);
  if (error) return std::nullopt;
  return address;
}

/// One entry of NO_PROXY against the target, whose name is in lower case.
bool covers(std::string_view entry, const HostPort& target, const std::optional<Address>& address) {
  if (entry == "*") return true;
  if (const auto network = Network::parse(entry)) return address && network->contains(*address);
  const auto starts_at = entry.starts_with("*.") ? 2U : entry.starts_with('.') ? 1U : 0U;
  const auto parsed = parse_host_port(entry.substr(starts_at), target.port);
  if (!parsed || parsed->port != target.port) return false;
  if (const auto exact = address_of(parsed->host)) return address && *exact == *address;
  const std::string name = lower(parsed->host);
  if (target.host == name) return starts_at == 0;
  return target.host.size() > name.size() && target.host.ends_with(name) &&
         target.host[target.host.size() - name.size() - 1] == '.';
}

bool is_direct(const Environment& environment, const HostPort& target) {
  const auto address = address_of(target.host);
  if (address ? address->is_loopback() : target.host == "localhost" || target.host.ends_with(".localhost"))
    return true;
  const auto list = first_set(environment, {"no_proxy", "NO_PROXY"});
  if (!list) return false;
  for (std::string_view rest = *list; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    if (covers(trim(rest.substr(0, comma)), target, address)) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

std::string connect_request(const Proxy& proxy, const HostPort& target) {
  const std::string authority = rockdove::to_string(target);
  std::string request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!proxy.credentials.empty())
    request += "Proxy-Authorization: Basic " + base64(proxy.credentials) + "\r\n";
  return request + "\r\n";
}

/// Reads the head of the proxy's answer and nothing more.
Awaitable<Result<std::string>> read_head(TcpSocket& socket) {
  std::string head;
  char piece[1024];
  for (;;) {
    const auto [error, count] = co_await socket.async_read_some(asio::buffer(piece), token);
    if (error == asio::error::eof) co_return Error::truncated;
    if (error) co_return error;
    const auto searched = head.size() < 3 ? 0 : head.size() - 3;
    head.append(piece, count);
    const auto end = head.find("\r\n\r\n", searched);
    // The target speaks only after us, so bytes behind the head are not its, and would be lost.
    if (end != head.npos && end + 4 != head.size()) co_return Error::protocol;
    if (end != head.npos) co_return head;
    if (head.size() > head_max) co_return Error::protocol;
  }
}

/// What the head of the answer to a CONNECT means (RFC 9110 section 9.3.6).
Result<void> judge(const std::string& head, const Proxy& proxy, const HostPort& target,
                   std::string* refusal) {
  const bool http =
      head.size() >= 12 && head.starts_with("HTTP/1.") && head[8] == ' ' &&
      std::all_of(head.begin() + 9, head.begin() + 12, [](char c) { return c >= '0' && c <= '9'; });
  if (!http) return Error::protocol;
  if (head[9] == '2') return {};
  const std::string status = head.substr(9, head.find("\r\n") - 9);
  const std::string name = rockdove::to_string(proxy.address);
  if (refusal) *refusal = status;
  else if (status.starts_with("407"))
    log::warn("net", "the proxy {} {}: set HTTPS_PROXY=http://user:password@{}", name,
              proxy.credentials.empty() ? "asks for a user and a password" : "does not accept the password",
              name);
  else
    log::warn("net", "the proxy {} refuses a connection to {}: {}", name, rockdove::to_string(target),
              status);
  return boost::system::errc::make_error_code(boost::system::errc::permission_denied);
}

Awaitable<Result<void>> ask(TcpSocket& socket, const Proxy& proxy, const HostPort& target,
                            std::string* refusal) {
  const std::string request = connect_request(proxy, target);
  const auto [error, count] = co_await asio::async_write(socket, asio::buffer(request), token);
  if (error) co_return error;
  const auto head = co_await read_head(socket);
  if (!head) co_return head.error();
  co_return judge(*head, proxy, target, refusal);
}

}  // namespace

Result<Proxy> parse_proxy(std::string_view text) {
  if (const auto colon = text.find("://"); colon != text.npos) {
    if (lower(text.substr(0, colon)) != "http") return Error::not_implemented;
    text.remove_prefix(colon + 3);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  Proxy proxy;
  if (const auto at = text.rfind('@'); at != text.npos) {
    auto credentials = percent_decode(text.substr(0, at));
    if (!credentials) return credentials.error();
    proxy.credentials = std::move(*credentials);
    if (proxy.credentials.find(':') == std::string::npos) proxy.credentials += ':';
    text.remove_prefix(at + 1);
  }
  auto address = parse_host_port(text, 80);
  if (!address) return address.error();
  proxy.address = std::move(*address);
  return proxy;
}

Result<std::optional<Proxy>> proxy_for(const Environment& environment, const HostPort& target) {
  const auto value = first_set(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  const HostPort wanted{lower(target.host), target.port};
  if (!value || is_direct(environment, wanted)) return std::optional<Proxy>();
  auto proxy = parse_proxy(*value);
  if (!proxy) return proxy.error();
  return std::optional<Proxy>(std::move(*proxy));
}

Awaitable<Result<TcpSocket>> dial_through_proxy(Proxy proxy, HostPort target, DialOptions options,
                                                std::string* refusal) {
  const Executor executor = co_await asio::this_coro::executor;
  const auto end = Clock::now() + options.timeout;
  auto socket = co_await dial(proxy.address, options);
  if (!socket) co_return socket.error();
  bool late = false;
  Deadline limit(Deadlines::of(executor.context()), [&late, &socket] {
    late = true;
    boost::system::error_code ignored;
    socket->close(ignored);
  });
  limit.set(std::max<Duration>(end - Clock::now(), Deadlines::tick));
  const auto answer = co_await ask(*socket, proxy, target, refusal);
  if (late) co_return Error::timed_out;
  if (!answer) co_return answer.error();
  limit.clear();
  co_return std::move(*socket);
}

}  // namespace rockdove::net
