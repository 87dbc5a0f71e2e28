#include "http/forwarded.hpp"

#include "net/address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rockdove::http {
namespace {

using List = std::vector<std::pair<std::string, std::string>>;

/// 10.0.0.0/8 and fd00::/8 are the operator's own proxies.
bool is_proxy(const net::Address& address) {
  return net::Network::parse("10.0.0.0/8")->contains(address) ||
         net::Network::parse("fd00::/8")->contains(address);
}

Request request_from(const std::string& peer, const List& fields, bool tls = false) {
  Request request;
  request.context.peer = net::asio::ip::make_address(peer);
  request.context.tls = tls;
  request.context.request_id = "id-1";
  for (const auto& [name, value] : fields) request.fields.add(name, value);
  return request;
}

std::string value_of(const Request& request, std::string_view name) {
  EXPECT_LE(request.fields.count(name), 1U) << name;
  return std::string(request.fields.get(name).value_or("(none)"));
}

TEST(set_forwarded, tells_the_upstream_who_called) {
  Request request = request_from("192.0.2.7", {{"Host", "hooks.example.com:8080"}}, true);
  set_forwarded(request, is_proxy);
  add_made_fields(request);
  EXPECT_EQ(value_of(request, "x-forwarded-for"), "192.0.2.7");
  EXPECT_EQ(value_of(request, "x-forwarded-host"), "hooks.example.com:8080");
  EXPECT_EQ(value_of(request, "x-forwarded-proto"), "https");
  EXPECT_EQ(value_of(request, "x-request-id"), "id-1");
  EXPECT_EQ(value_of(request, "host"), "hooks.example.com:8080");
}

TEST(set_forwarded, believes_nothing_of_a_caller_that_is_no_trusted_proxy) {
  Request request = request_from("192.0.2.7", {{"Host", "real"},
                                               {"X-Forwarded-For", "10.0.0.1"},
                                               {"x-forwarded-for", "127.0.0.1"},
                                               {"X-FORWARDED-HOST", "evil"},
                                               {"X-Forwarded-Proto", "https"},
                                               {"X-Forwarded-Port", "443"},
                                               {"Forwarded", "for=127.0.0.1"},
                                               {"X-Real-IP", "127.0.0.1"},
                                               {"X-Request-Id", "forged"}});
  set_forwarded(request, is_proxy);
  add_made_fields(request);
  EXPECT_EQ(value_of(request, "x-forwarded-for"), "192.0.2.7");
  EXPECT_EQ(value_of(request, "x-forwarded-host"), "real");
  EXPECT_EQ(value_of(request, "x-forwarded-proto"), "http");
  EXPECT_EQ(value_of(request, "x-request-id"), "id-1");
  for (const std::string_view gone : {"x-forwarded-port", "forwarded", "x-real-ip"})
    EXPECT_FALSE(request.fields.contains(gone)) << gone;
  EXPECT_EQ(net::to_string(request.context.peer), "192.0.2.7");
  EXPECT_FALSE(request.context.tls);
}

TEST(set_forwarded, finds_the_caller_behind_trusted_proxies) {
  const struct {
    const char* what;
    const char* peer;
    List fields;
    const char* caller;
    const char* list;
  } cases[] = {
      {"one proxy", "10.0.0.1", {{"X-Forwarded-For", "192.0.2.7"}}, "192.0.2.7", "192.0.2.7, 10.0.0.1"},
      {"two proxies",
       "10.0.0.1",
       {{"X-Forwarded-For", "192.0.2.7, 10.0.0.2"}},
       "192.0.2.7",
       "192.0.2.7, 10.0.0.2, 10.0.0.1"},
      {"what stands before the caller was written by the caller",
       "10.0.0.1",
       {{"X-Forwarded-For", "10.9.9.9, 127.0.0.1,192.0.2.7 ,10.0.0.2"}},
       "192.0.2.7",
       "10.9.9.9, 127.0.0.1,192.0.2.7 ,10.0.0.2, 10.0.0.1"},
      {"several fields are one list",
       "10.0.0.1",
       {{"X-Forwarded-For", "198.51.100.1"}, {"X-Other", "1"}, {"x-forwarded-for", "192.0.2.7"}},
       "192.0.2.7",
       "198.51.100.1, 192.0.2.7, 10.0.0.1"},
      {"only proxies: the farthest",
       "10.0.0.1",
       {{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}},
       "10.0.0.3",
       "10.0.0.3, 10.0.0.2, 10.0.0.1"},
      {"no list", "10.0.0.1", {}, "10.0.0.1", "10.0.0.1"},
      {"rubbish ends the search",
       "10.0.0.1",
       {{"X-Forwarded-For", "192.0.2.7, unknown"}},
       "10.0.0.1",
       "192.0.2.7, unknown, 10.0.0.1"},
      {"IPv6",
       "fd00::1",
       {{"X-Forwarded-For", "2001:db8::7, fd00::2"}},
       "2001:db8::7",
       "2001:db8::7, fd00::2, fd00::1"},
      {"IPv4 proxy, IPv6 caller",
       "10.0.0.1",
       {{"X-Forwarded-For", "2001:db8::7"}},
       "2001:db8::7",
       "2001:db8::7, 10.0.0.1"},
  };
  for (const auto& each : cases) {
    Request request = request_from(each.peer, each.fields);
    set_forwarded(request, is_proxy);
    EXPECT_EQ(net::to_string(request.context.peer), each.caller) << each.what;
    EXPECT_EQ(value_of(request, "x-forwarded-for"), each.list) << each.what;
  }
}

TEST(set_forwarded, takes_host_and_scheme_from_a_trusted_proxy) {
  Request request = request_from("10.0.0.1", {{"Host", "inner"},
                                              {"X-Forwarded-Host", "public"},
                                              {"X-Forwarded-Proto", " HTTPS "},
                                              {"Forwarded", "for=192.0.2.7"},
                                              {"X-Real-IP", "192.0.2.7"},
                                              {"X-Request-Id", "theirs"}});
  set_forwarded(request, is_proxy);
  add_made_fields(request);
  EXPECT_TRUE(request.context.tls);
  EXPECT_EQ(value_of(request, "x-forwarded-proto"), "https");
  EXPECT_EQ(value_of(request, "x-forwarded-host"), "public");
  EXPECT_EQ(value_of(request, "forwarded"), "for=192.0.2.7");
  EXPECT_EQ(value_of(request, "x-real-ip"), "192.0.2.7");
  EXPECT_EQ(value_of(request, "x-request-id"), "id-1");

  Request plain = request_from("10.0.0.1", {{"X-Forwarded-Proto", "http"}}, true);
  set_forwarded(plain, is_proxy);
  EXPECT_FALSE(plain.context.tls) << "the proxy took TLS off a plain caller's request: it knows better";
}

TEST(made_fields, are_added_once_and_as_wanted) {
  const std::string id = "00112233445566778899aabb";
  const std::string forwarded =
      "Host=h;X-Forwarded-For=192.0.2.7;X-Forwarded-Host=h;X-Forwarded-Proto=https;";
  for (const auto& [wanted, list] :
       {std::pair{MadeFields{}, std::string("Host=h;")}, std::pair{MadeFields{.forwarded = true}, forwarded},
        std::pair{MadeFields{.request_id = true}, "Host=h;X-Request-Id=" + id + ";"},
        std::pair{
            MadeFields{.forwarded = true, .request_id = true, .trace = true},
            forwarded + "X-Request-Id=" + id + ";Traceparent=00-00000000" + id + "-445566778899aabb-01;"}}) {
    Request request = request_from("192.0.2.7", {{"Host", "h"}}, true);
    request.context.request_id = id;
    request.context.to_add = wanted;
    for (int i = 0; i < 2; ++i) add_made_fields(request);
    std::string found;
    for (const auto [name, value] : request.fields) found.append(name).append("=").append(value).append(";");
    EXPECT_EQ(found, list);
  }
}

}  // namespace
}  // namespace rockdove::http
