#include "http/trace_context.hpp"

#include "http/loggable.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

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

TEST(traceparent, that_is_made_is_valid_and_another_each_time) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const std::string made = make_traceparent();
    ASSERT_TRUE(trace_id_of(made)) << made;
    EXPECT_EQ(made.size(), 55U);
    EXPECT_TRUE(made.starts_with("00-") && made.ends_with("-01")) << made;
    ids.insert(std::string(*trace_id_of(made)));
  }
  EXPECT_EQ(ids.size(), 100U);
}

std::string list_of(const Fields& fields) {
  std::string list;
  for (const auto [name, value] : fields) list.append(name).append("=").append(value).append(";");
  return list;
}

TEST(join_trace, leaves_a_valid_one_and_its_state_as_they_are) {
  Fields fields;
  fields.add("Tracestate", "b=2");
  fields.add("traceparent", valid);
  fields.add("tracestate", " not, valid at all ==");
  const std::string before = list_of(fields);
  EXPECT_EQ(join_trace(fields, true), trace);
  EXPECT_EQ(join_trace(fields, false), trace);
  EXPECT_EQ(list_of(fields), before);
}

TEST(join_trace, makes_one_where_none_is_and_drops_a_state_that_belongs_to_nothing) {
  Fields fields;
  fields.add("Host", "a");
  fields.add("Tracestate", "a=1");
  const std::string id = join_trace(fields, true);
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(trace_id_of(fields), id);
  EXPECT_FALSE(fields.contains("tracestate"));
  EXPECT_EQ(fields.size(), 2U);
}

TEST(join_trace, replaces_an_invalid_one_and_two_of_them) {
  for (const auto& values : {std::set<std::string>{"00-zero"}, std::set<std::string>{valid, valid + "-x"},
                             std::set<std::string>{"00-" + trace + "-" + parent + "-00", valid}}) {
    Fields fields;
    for (const std::string& value : values) fields.add("traceparent", value);
    fields.add("tracestate", "a=1");
    const std::string id = join_trace(fields, true);
    EXPECT_EQ(fields.count("traceparent"), 1U);
    EXPECT_EQ(trace_id_of(fields), id);
    EXPECT_NE(id, trace);
    EXPECT_FALSE(fields.contains("tracestate"));
  }
}

TEST(join_trace, touches_nothing_when_it_is_not_to_make_any) {
  for (const char* value : {"", "00-zero"}) {
    Fields fields;
    if (*value) fields.add("traceparent", value);
    fields.add("tracestate", "a=1");
    const std::string before = list_of(fields);
    EXPECT_EQ(join_trace(fields, false), "");
    EXPECT_EQ(list_of(fields), before);
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
