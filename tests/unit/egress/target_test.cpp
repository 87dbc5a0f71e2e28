#include "egress/target.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

using Form = Target::Form;

TEST(Target, connect_names_host_and_port) {
  EXPECT_EQ(parse_target("CONNECT", "Example.COM:443").value(),
            (Target{Form::connect, {"example.com", 443}, false, "", ""}));
  EXPECT_EQ(parse_target("CONNECT", "[::1]:8443").value(),
            (Target{Form::connect, {"::1", 8443}, false, "", ""}));
  for (const char* text : {"", "example.com", "example.com:", "example.com:0", "example.com:99999", ":443",
                           "/a:1", "http://a:443", "a b:1", "user@a:443", "[::1]", "a:1/x"})
    EXPECT_EQ(parse_target("CONNECT", text).error(), Error::malformed) << text;
}

TEST(Target, an_absolute_url_says_where_and_what) {
  EXPECT_EQ(parse_target("GET", "http://A.example/x?y=/z").value(),
            (Target{Form::absolute, {"a.example", 80}, false, "", "/x?y=/z"}));
  EXPECT_EQ(parse_target("POST", "https://a.example:8443").value(),
            (Target{Form::absolute, {"a.example", 8443}, true, "", "/"}));
  EXPECT_EQ(parse_target("GET", "http://a.example?q").value().path, "/?q");
  for (const char* text : {"ftp://a/", "ws://a/", "http://", "http:///x", "http://u:p@a/", "http://a:0/", "*",
                           "a", "http//a", "javascript:x"})
    EXPECT_EQ(parse_target("GET", text).error(), Error::malformed) << text;
}

TEST(Target, the_first_segment_of_a_path_is_a_destinations_name) {
  EXPECT_EQ(parse_target("GET", "/lingxing/erp/a?b=/c").value(),
            (Target{Form::named, {}, false, "lingxing", "/erp/a?b=/c"}));
  EXPECT_EQ(parse_target("GET", "/lingxing").value().path, "/");
  EXPECT_EQ(parse_target("GET", "/lingxing/").value().path, "/");
  EXPECT_EQ(parse_target("GET", "/lingxing?x=1").value().path, "/?x=1");
  EXPECT_EQ(parse_target("GET", "/a//b/../c%2f").value().path, "//b/../c%2f") << "nothing is normalised";
  for (const std::string& text : {std::string("/"), std::string("/?x"), std::string("/Lingxing/x"),
                                  std::string("/a%20b/"), "/" + std::string(64, 'a') + "/x"})
    EXPECT_EQ(parse_target("GET", text).error(), Error::destination_unknown) << text;
}

TEST(Target, a_path_that_could_lead_above_its_base_is_known_however_it_is_written) {
  for (const char* path : {"/..", "/../admin", "/a/../../admin", "/./a", "/%2e%2E/a", "/.%2e/a", "/a/..%2fb",
                           "/..\\a", "/..%5Ca", "/..;x=1/a", "/a/..?b"})
    EXPECT_TRUE(has_dot_segment(path)) << path;
  for (const char* path : {"/", "/a/b", "/...", "/a..b/..c/d..", "/.well-known/x", "/a?b=/../c", "/a%2fb"})
    EXPECT_FALSE(has_dot_segment(path)) << path;
}

TEST(Target, a_path_ends_before_its_query) {
  EXPECT_EQ(without_query("/a/b?c?d"), "/a/b");
  EXPECT_EQ(without_query("/a"), "/a");
}

}  // namespace
}  // namespace rockdove::egress
