#include "cli/admin_client.hpp"

#include "http/parser.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <iterator>
#include <stdexcept>

namespace rockdove::cli {

std::string admin_get(HostPort admin, const std::string& target) {
  // What a server listens on need not be an address that one can connect to.
  if (admin.host == "0.0.0.0") admin.host = "127.0.0.1";
  if (admin.host == "::") admin.host = "::1";
  const std::string where = "http://" + to_string(admin) + target;
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(std::chrono::seconds(5));
  stream.connect(admin.host, std::to_string(admin.port));
  if (!stream)
    throw std::runtime_error("no answer from " + where + " (" + stream.error().message() +
                             "): is \"rockdove server\" running here, with the same configuration?");
  stream << "GET " << target << " HTTP/1.1\r\nHost: " << to_string(admin) << "\r\nConnection: close\r\n\r\n"
         << std::flush;
  const std::string answer{std::istreambuf_iterator<char>(stream), {}};

  const http::HeadLimits limits;
  std::size_t scanned = 0;
  const auto size = http::find_head(answer, limits, scanned);
  if (!size || *size == 0) throw std::runtime_error("no complete answer from " + where);
  const auto head = http::parse_response_head(std::string_view(answer).substr(0, *size), limits, "GET");
  if (!head) throw std::runtime_error("the answer from " + where + " is not HTTP/1.1");
  if (head->status != 200) throw std::runtime_error(where + " answers " + std::to_string(head->status));
  std::string body = answer.substr(*size);
  if (head->framing == http::Framing::length && body.size() != head->content_length)
    throw std::runtime_error("the answer from " + where + " is cut short");
  return body;
}

}  // namespace rockdove::cli
