#include "http/forwarded.hpp"

#include "base/text.hpp"
#include "http/trace_context.hpp"
#include "net/address.hpp"

#include <string>
#include <utility>

namespace rockdove::http {
namespace {

/// Walks the list from its end, which the nearest proxy wrote, to the first address nobody vouches for.
void find_caller(Request& request, std::string_view list,
                 const std::function<bool(const net::Address&)>& is_trusted) {
  while (!list.empty() && is_trusted(request.context.peer)) {
    const std::size_t comma = list.rfind(',');
    const auto last = trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
    boost::system::error_code error;
    const auto address = net::asio::ip::make_address(std::string(last), error);
    if (error) return;
    request.context.peer = address;
  }
}

/// What is written here, or told by a trusted proxy alone. By the name's length first: most are of another.
bool is_ours(std::string_view name, bool is_proxy) noexcept {
  switch (name.size()) {
    case 12: return iequals(name, "x-request-id");
    case 15: return iequals(name, "x-forwarded-for");
    case 17: return iequals(name, "x-forwarded-proto");
    case 9: return !is_proxy && (iequals(name, "forwarded") || iequals(name, "x-real-ip"));
    case 16: return !is_proxy && (iequals(name, "x-forwarded-host") || iequals(name, "x-forwarded-port"));
    default: return false;
  }
}

/// Removes what is ours to write, and says what of X-Forwarded-For a trusted proxy has written.
std::string take_forwarded(Fields& fields, bool is_proxy) {
  std::string list;
  fields.remove_if([&](const Fields::Field& field) {
    const bool is_list = is_proxy && iequals(field.name, "x-forwarded-for");
    if (is_list) list.append(list.empty() ? "" : ", ").append(field.value);
    return is_ours(field.name, is_proxy);
  });
  return list;
}

}  // namespace

void set_forwarded(Request& request, const std::function<bool(const net::Address&)>& is_trusted) {
  Context& context = request.context;
  context.to_add.request_id = true;
  if (!is_trusted(context.peer)) {
    take_forwarded(request.fields, false);
    context.to_add.forwarded = true;
    return;
  }
  if (const auto proto = request.fields.get("x-forwarded-proto"))
    context.tls = iequals(trim(*proto), "https");
  const std::string peer = net::to_string(context.peer);
  std::string list = take_forwarded(request.fields, true);
  find_caller(request, list, is_trusted);
  list.append(list.empty() ? "" : ", ").append(peer);
  add_forwarded(request, list);
}

void add_forwarded(Request& request, std::string_view list) {
  Fields& fields = request.fields;
  fields.add("X-Forwarded-For", list);
  if (const auto host = fields.get("host"); host && !fields.contains("x-forwarded-host")) {
    const std::string value(*host);  // add() may move the memory that a view points into
    fields.add("X-Forwarded-Host", value);
  }
  fields.add("X-Forwarded-Proto", request.context.tls ? "https" : "http");
}

void add_made_fields(Request& request) {
  const std::string& id = request.context.request_id;
  const MadeFields wanted = std::exchange(request.context.to_add, {});
  if (wanted.forwarded) add_forwarded(request, net::to_string(request.context.peer));
  if (wanted.request_id) request.fields.add("X-Request-Id", id);
  if (wanted.trace) request.fields.add("Traceparent", make_traceparent(id));
}

}  // namespace rockdove::http
