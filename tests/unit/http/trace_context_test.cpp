#include "http/trace_context.hpp"

#include "http/loggable.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::http {
namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "00f067aa0ba902b7";
const std::string valid = "00-" + trace + "-" + parent + "-01";

TEST(traceparent, is_taken_when_it_is_valid_to_the_letter) {
  for (const std::string& text :
       {valid, "00-" + trace + "-" + parent + "-00", "00-" + trace + "-" + parent + "-ff",
        "cc-" + trace + "-" + parent + "-01", "cc-" + trace + "-" + parent + "-01-what-comes-later",
        "01-" + trace + "-" + parent + "-01-"})
    EXPECT_EQ(trace_id_of(text), trace) << text;
}

TEST(traceparent, is_refused_when_anything_is_wrong_with_it) {
  const std::string zeros(32, '0');
  std::string upper = valid, nul = valid;
  upper[5] = 'F';
  nul[10] = '\0';
  for (const std::string& text : {std::string(),
                                  std::string("00"),
                                  valid.substr(0, 54),
                                  valid + "-",
                                  valid + "0",
                                  valid + "-extra",
                                  " " + valid,
                                  valid + " ",
                                  upper,
                                  nul,
                                  "ff-" + trace + "-" + parent + "-01",
                                  "FF-" + trace + "-" + parent + "-01",
                                  "0g-" + trace + "-" + parent + "-01",
                                  "00-" + zeros + "-" + parent + "-01",
                                  "00-" + trace + "-0000000000000000-01",
                                  "00-" + trace + "-" + parent + "-0G",
                                  "00_" + trace + "-" + parent + "-01",
                                  "00-" + trace + "_" + parent + "-01",
                                  "00-" + trace + "-" + parent + "_01",
                                  "cc-" + trace + "-" + parent + "-01.later",
                                  "00-" + trace.substr(1) + "-" + parent + "0-01"})
    EXPECT_FALSE(trace_id_of(text)) << text;
}

TEST(traceparent, is_made_of_an_id_of_16_to_32_digits) {
  EXPECT_EQ(make_traceparent("00112233445566778899aabb"),
            "00-0000000000112233445566778899aabb-445566778899aabb-01");
  for (const std::string& id : {parent, "ffff" + parent, trace}) {
    ASSERT_TRUE(is_traceable(id));
    const std::string made = make_traceparent(id);
    EXPECT_EQ(trace_id_of(made), trace_id_for(id)) << made;
    EXPECT_TRUE(trace_id_for(id).ends_with(id) && trace_id_for(id).size() == 32U) << made;
  }
  const std::string upper = "00F067AA0BA902B7", zeros(16, '0');
  for (const std::string& id :
       {std::string(), parent.substr(1), trace + "0", upper, "g" + parent, zeros, "1" + zeros})
    EXPECT_FALSE(is_traceable(id)) << id;
}

std::string list_of(const Fields& fields) {
  std::string list;
  for (const auto [name, value] : fields) list.append(name).append("=").append(value).append(";");
  return list;
}

const std::string id = "00112233445566778899aabb", trace_of_id = "00000000" + id;

Request request_with(const std::vector<std::pair<std::string, std::string>>& fields) {
  Request request;
  request.context.request_id = id;
  request.context.to_add.request_id = true;
  for (const auto& [name, value] : fields) request.fields.add(name, value);
  return request;
}

TEST(join_trace, leaves_a_valid_one_and_its_state_as_they_are) {
  Request request =
      request_with({{"Tracestate", "b=2"}, {"traceparent", valid}, {"tracestate", " not, valid at all =="}});
  const std::string before = list_of(request.fields);
  EXPECT_EQ(join_trace(request, true), trace);
  EXPECT_EQ(join_trace(request, false), trace);
  EXPECT_EQ(list_of(request.fields), before);
  EXPECT_FALSE(request.context.to_add.trace);
}

TEST(join_trace, makes_one_where_none_is_and_drops_a_state_that_belongs_to_nothing) {
  Request request = request_with({{"Host", "a"}, {"Tracestate", "a=1"}});
  EXPECT_EQ(join_trace(request, true), trace_of_id);
  EXPECT_EQ(list_of(request.fields), "Host=a;");
  EXPECT_TRUE(request.context.to_add.trace);
}

TEST(join_trace, replaces_an_invalid_one_and_two_of_them) {
  for (const auto& values : {std::set<std::string>{"00-zero"}, std::set<std::string>{valid, valid + "-x"},
                             std::set<std::string>{"00-" + trace + "-" + parent + "-00", valid}}) {
    Request request = request_with({{"tracestate", "a=1"}});
    for (const std::string& value : values) request.fields.add("traceparent", value);
    EXPECT_EQ(join_trace(request, true), trace_of_id);
    EXPECT_EQ(list_of(request.fields), "");
    EXPECT_TRUE(request.context.to_add.trace);
  }
}

TEST(join_trace, touches_nothing_when_it_is_not_to_make_any) {
  for (const char* value : {"", "00-zero"}) {
    Request request = request_with({{"tracestate", "a=1"}});
    if (*value) request.fields.add("traceparent", value);
    const std::string before = list_of(request.fields);
    EXPECT_EQ(join_trace(request, false), "");
    EXPECT_EQ(list_of(request.fields), before);
    EXPECT_FALSE(request.context.to_add.trace);
  }
}

TEST(loggable, is_the_path_and_nothing_that_could_be_a_secret) {
  const std::pair<const char*, const char*> cases[] = {
      {"/", "/"},
      {"/hook?token=s3cret", "/hook"},
      {"/hook?s3cret", "/hook"},
      {"/a#b?c", "/a"},
      {"/a@b", "/a@b"},
      {"*", "*"},
      {"db.internal:5432", "db.internal:5432"},
      {"http://user:s3cret@host/", "-"},
      {"?s3cret", ""},
  };
  for (const auto& [target, path] : cases) EXPECT_EQ(loggable(target), path) << target;
  EXPECT_EQ(loggable("/" + std::string(1000, 'a')).size(), 256U);
}

}  // namespace
}  // namespace rockdove::http
