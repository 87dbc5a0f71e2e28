#include "tunnel/head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rockdove::tunnel {
namespace {

using List = std::vector<std::pair<std::string, std::string>>;

/// What the other end's session makes of a head.
template <class List>
http::Fields arrived(const List& list) {
  http::Fields head;
  for (const auto& [name, value] : list) head.add(name, value);
  return head;
}

List list_of(const http::Fields& fields) {
  List list;
  for (const auto [name, value] : fields) list.emplace_back(name, value);
  return list;
}

http::Request request_of(std::string method, std::string target, std::string upgrade = {}) {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.upgrade = std::move(upgrade);
  return request;
}

template <class Message>
Result<Message> decoded(http::Fields head) {
  Message message;
  Result<void> done;
  if constexpr (std::is_same_v<Message, http::Request>) done = decode_request(std::move(head), message);
  else done = decode_response(std::move(head), message);
  if (!done) return done.error();
  return message;
}

Result<http::Request> there_and_back(const http::Request& request) {
  const OutgoingHead first = encode_request(request);
  const OutgoingHead moved = first;  // the views must not point into the head itself
  return decoded<http::Request>(arrived(moved.list));
}

TEST(request_head, what_would_frame_the_message_otherwise_is_taken_away_or_refused) {
  const List head{{":method", "POST"}, {":path", "/"}};
  const auto with = [&](List more) {
    more.insert(more.begin(), head.begin(), head.end());
    return decoded<http::Request>(arrived(more));
  };
  const auto clean =
      with({{"Transfer-Encoding", "chunked"}, {"Connection", "x-a"}, {"X-A", "1"}, {"X-B", "2"}});
  ASSERT_TRUE(clean);
  EXPECT_EQ(list_of(clean->fields), (List{{"X-B", "2"}}));
  for (const List& bad :
       {List{{"Content-Length", "3"}, {"content-length", "3"}}, List{{"Content-Length", "3, 3"}},
        List{{"Content-Length", "+3"}}, List{{"Content-Length", ""}}, List{{"Content-Length", "-1"}},
        List{{"Content-Length", "99999999999999999999"}}, List{{":status", "100"}}})
    EXPECT_EQ(with(bad).error(), Error::protocol) << bad[0].first << " " << bad[0].second;
  const List connect{{":method", "CONNECT"}, {":path", "a:1"}, {"content-length", "3"}};
  EXPECT_EQ(decoded<http::Request>(arrived(connect)).error(), Error::protocol);
  const List twice{{":status", "200"}, {"content-length", "3"}, {"content-length", "4"}};
  EXPECT_EQ(decoded<http::Response>(arrived(twice)).error(), Error::protocol);
}

TEST(trailers, say_nothing_about_framing) {
  http::Fields fields;
  fields.add("x-sum", "1");
  EXPECT_TRUE(are_safe_trailers(fields));
  for (const char* name : {"Content-Length", "transfer-encoding", "HOST", "bad name"}) {
    http::Fields bad;
    bad.add(name, "1");
    EXPECT_FALSE(are_safe_trailers(bad)) << name;
  }
}

TEST(request_head, keeps_method_target_and_fields_byte_for_byte) {
  const struct {
    const char *method, *target, *upgrade;
  } cases[] = {
      {"GET", "/", ""},
      {"POST", "/feishu/webhook?a=%2F&b=//..", ""},
      {"M-SEARCH", "*", ""},
      {"get", "http://host/absolute", ""},
      {"GET", "/chat", "websocket"},
      {"CONNECT", "db.internal:5432", "connect"},
      {"GET", "/caf\xc3\xa9\xff", ""},
  };
  const List fields{{"Host", "a"}, {"X-B", "2"}, {"x-b", "1"}, {"Empty", ""}, {"Odd", "\x80\xff\t!"}};
  for (const auto& each : cases) {
    http::Request request = request_of(each.method, each.target, each.upgrade);
    for (const auto& [name, value] : fields) request.fields.add(name, value);
    const auto read = there_and_back(request);
    ASSERT_TRUE(read) << each.target;
    EXPECT_EQ(read->method, each.method);
    EXPECT_EQ(read->target, each.target);
    EXPECT_EQ(read->upgrade, each.upgrade);
    EXPECT_EQ(list_of(read->fields), fields);
  }
}

TEST(request_head, carries_what_travels_beside_a_request) {
  http::Request request = request_of("POST", "/");
  request.expects_continue = true;
  request.context.tls = true;
  request.context.upstream = "billing";
  request.context.host = "upstream";
  request.context.first_byte_timeout = std::chrono::milliseconds(2500);
  const auto read = there_and_back(request);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->expects_continue);
  EXPECT_TRUE(read->context.tls);
  EXPECT_EQ(read->context.upstream, "billing");
  EXPECT_EQ(read->context.host, "upstream");
  EXPECT_EQ(read->context.first_byte_timeout, std::chrono::milliseconds(2500));
  EXPECT_EQ(read->context.to_add, http::MadeFields{});
  EXPECT_TRUE(read->fields.empty()) << "nothing of it may be mistaken for the caller's";

  const auto bare = there_and_back(request_of("GET", "/"));
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->expects_continue || bare->context.tls);
  EXPECT_EQ(bare->context.upstream + bare->context.host, "");
  EXPECT_EQ(bare->context.first_byte_timeout, net::Duration::zero());
}

TEST(request_head, says_no_time_limit_that_is_the_usual_one) {
  http::Request request = request_of("GET", "/");
  request.context.first_byte_timeout = std::chrono::minutes(1);
  const auto read = there_and_back(request);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->context.first_byte_timeout, net::Duration::zero());
}

TEST(request_head, carries_the_caller_as_the_fields_that_are_made_of_it) {
  for (const char* caller : {"192.0.2.7", "2001:db8::7"}) {
    http::Request request = request_of("GET", "/");
    request.fields.add("Host", "h:8080");
    request.context.peer = net::asio::ip::make_address(caller);
    request.context.tls = true;
    request.context.first_byte_timeout = std::chrono::milliseconds(2500);
    request.context.to_add.forwarded = true;
    const auto read = there_and_back(request);
    ASSERT_TRUE(read);
    EXPECT_EQ(list_of(read->fields), (List{{"Host", "h:8080"},
                                           {"X-Forwarded-For", caller},
                                           {"X-Forwarded-Host", "h:8080"},
                                           {"X-Forwarded-Proto", "https"}}));
    EXPECT_EQ(read->context.to_add, http::MadeFields{});
  }
  for (const char* bad : {"", "192.0.2.7\r\nX: 1"})
    EXPECT_EQ(
        decoded<http::Request>(arrived(List{{":method", "GET"}, {":path", "/"}, {":rd-for", bad}})).error(),
        Error::protocol)
        << bad;
}

TEST(request_head, carries_an_id_as_the_fields_that_are_made_of_it) {
  const std::string id = "00112233445566778899aabb";
  const List id_alone{{"a", "1"}, {"X-Request-Id", id}};
  List id_and_trace = id_alone;
  id_and_trace.emplace_back("Traceparent", "00-00000000" + id + "-445566778899aabb-01");
  for (const auto& [wanted, list] :
       {std::pair{http::MadeFields{}, List{{"a", "1"}}},
        std::pair{http::MadeFields{.request_id = true}, id_alone},
        std::pair{http::MadeFields{.request_id = true, .trace = true}, id_and_trace}}) {
    http::Request request = request_of("GET", "/");
    request.fields.add("a", "1");
    request.context.request_id = id;
    request.context.to_add = wanted;
    const auto read = there_and_back(request);
    ASSERT_TRUE(read);
    EXPECT_EQ(list_of(read->fields), list);
    EXPECT_EQ(read->context.to_add, http::MadeFields{});
  }
  for (const char* name : {":rd-id", ":rd-trace"}) {
    const auto alone = decoded<http::Request>(arrived(List{{":method", "GET"}, {":path", "/"}, {name, ""}}));
    ASSERT_TRUE(alone) << "a name without a value says nothing";
    EXPECT_TRUE(alone->fields.empty());
  }
  for (const char* name : {":rd-id", ":rd-trace"})
    for (const std::string& bad : {std::string("r1"), id + " ", std::string(33, 'a')})
      EXPECT_EQ(
          decoded<http::Request>(arrived(List{{":method", "GET"}, {":path", "/"}, {name, bad}})).error(),
          Error::protocol)
          << name << " " << bad;
}

TEST(request_head, puts_metadata_before_the_fields_and_never_among_them) {
  http::Request request = request_of("GET", "/");
  request.context.upstream = "x";
  request.fields.add("Rd-Upstream", "forged");
  const OutgoingHead head = encode_request(request);
  bool in_fields = false;
  for (const auto& [name, value] : head.list) {
    EXPECT_FALSE(in_fields && name.starts_with(':'));
    in_fields = in_fields || !name.starts_with(':');
  }
  EXPECT_EQ(there_and_back(request)->context.upstream, "x");
}

TEST(request_head, is_refused_where_it_could_not_stand_in_http1) {
  const List good{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"a", "b"}};
  ASSERT_TRUE(decoded<http::Request>(arrived(good)));
  const struct {
    const char* what;
    List list;
  } cases[] = {
      {"nothing", {}},
      {"no method", {{":path", "/"}}},
      {"no target", {{":method", "GET"}}},
      {"empty target", {{":method", "GET"}, {":path", ""}}},
      {"method with a space", {{":method", "GET /"}, {":path", "/"}}},
      {"method with a line break", {{":method", "GET\r\nX:"}, {":path", "/"}}},
      {"target with a space", {{":method", "GET"}, {":path", "/ HTTP/1.1"}}},
      {"target with a line break", {{":method", "GET"}, {":path", "/\r\nX: 1"}}},
      {"target with NUL", {{":method", "GET"}, {":path", std::string("/\0", 2)}}},
      {"target with DEL", {{":method", "GET"}, {":path", "/\x7f"}}},
      {"empty name", {{":method", "GET"}, {":path", "/"}, {"", "v"}}},
      {"name with a space", {{":method", "GET"}, {":path", "/"}, {"a b", "v"}}},
      {"name with a colon", {{":method", "GET"}, {":path", "/"}, {"a:", "v"}}},
      {"name with a line break", {{":method", "GET"}, {":path", "/"}, {"a\r\nb", "v"}}},
      {"value with a line break", {{":method", "GET"}, {":path", "/"}, {"a", "v\r\nb: c"}}},
      {"value with a bare CR", {{":method", "GET"}, {":path", "/"}, {"a", "v\rb"}}},
      {"value with NUL", {{":method", "GET"}, {":path", "/"}, {"a", std::string("v\0", 2)}}},
      {"host with a line break", {{":method", "GET"}, {":path", "/"}, {":rd-host", "h\r\nX: 1"}}},
      {"protocol with a line break", {{":method", "CONNECT"}, {":path", "/"}, {":protocol", "a\nb"}}},
      {"time limit that is none", {{":method", "GET"}, {":path", "/"}, {":rd-timeout", "soon"}}},
      {"negative time limit", {{":method", "GET"}, {":path", "/"}, {":rd-timeout", "-1"}}},
      {"time limit out of range", {{":method", "GET"}, {":path", "/"}, {":rd-timeout", "99999999999"}}},
  };
  for (const auto& each : cases) {
    const auto read = decoded<http::Request>(arrived(each.list));
    ASSERT_FALSE(read) << each.what;
    EXPECT_EQ(read.error(), Error::protocol) << each.what;
  }
}

TEST(response_head, keeps_status_and_fields) {
  for (const int status : {100, 101, 103, 200, 204, 304, 404, 599, 999}) {
    http::Fields fields;
    fields.add("Set-Cookie", "a=1");
    fields.add("set-cookie", "b=2");
    const OutgoingHead head = encode_response(status, fields);
    const OutgoingHead moved = head;
    const auto read = decoded<http::Response>(arrived(moved.list));
    ASSERT_TRUE(read) << status;
    EXPECT_EQ(read->status, status);
    EXPECT_EQ(list_of(read->fields), list_of(fields));
  }
}

TEST(response_head, carries_how_long_the_answer_took) {
  using namespace std::chrono_literals;
  const std::pair<net::Duration, net::Duration> cases[] = {
      {0s, 0s}, {-1s, 0s}, {999ns, 0s}, {1500us, 1500us}, {24h, std::chrono::microseconds(0xFFFFFFFF)}};
  for (const auto& [said, heard] : cases) {
    const OutgoingHead head = encode_response(200, {}, said);
    const OutgoingHead moved = head;
    const auto read = decoded<http::Response>(arrived(moved.list));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->status, 200);
    EXPECT_EQ(read->took, heard);
    EXPECT_TRUE(read->fields.empty());
  }
}

TEST(response_head, carries_an_error_in_its_place) {
  for (int value = 1; value <= static_cast<int>(Error::protocol); ++value) {
    const auto error = static_cast<Error>(value);
    const auto read = decoded<http::Response>(arrived(encode_error(error).list));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error(), error);
  }
  const auto foreign =
      decoded<http::Response>(arrived(encode_error(net::asio::error::connection_reset).list));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error(), Error::protocol);
}

TEST(response_head, is_refused_where_it_could_not_stand_in_http1) {
  const List cases[] = {
      {},
      {{":status", ""}},
      {{":status", "99"}},
      {{":status", "1000"}},
      {{":status", "-200"}},
      {{":status", "200 OK"}},
      {{":status", "200"}, {":rd-time", "-1"}},
      {{":status", "200"}, {":rd-time", "4294967296"}},
      {{":status", "200"}, {"a", "b\r\nc: d"}},
      {{":status", "200"}, {"a b", "c"}},
      {{":status", "200"}, {"", "c"}},
  };
  for (const List& list : cases) {
    const auto read = decoded<http::Response>(arrived(list));
    ASSERT_FALSE(read) << (list.empty() ? "nothing" : list.back().second);
    EXPECT_EQ(read.error(), Error::protocol);
  }
}

TEST(response_head, may_name_its_time_without_a_value) {
  const auto read = decoded<http::Response>(
      arrived(List{{":status", "200"}, {":rd-time", ""}, {":rd-time", "1500"}, {"a", "b"}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->took, std::chrono::microseconds(1500));
  EXPECT_EQ(list_of(read->fields), (List{{"a", "b"}}));
}

TEST(is_safe, looks_at_names_and_values) {
  http::Fields fields;
  EXPECT_TRUE(is_safe(fields));
  fields.add("x-sum", "1 \t\xff");
  EXPECT_TRUE(is_safe(fields));
  fields.add("x-sum", "1\n");
  EXPECT_FALSE(is_safe(fields));
}

}  // namespace
}  // namespace rockdove::tunnel
