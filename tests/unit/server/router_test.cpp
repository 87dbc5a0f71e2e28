#include "server/router.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace rockdove::server {
namespace {

config::RouteConfig route(std::string name, std::string host, std::string path) {
  config::RouteConfig config;
  config.name = std::move(name);
  config.host = std::move(host);
  config.path = std::move(path);
  return config;
}

std::string found(const Router& router, std::string_view host, std::string_view target) {
  const config::RouteConfig* const route = router.find(host, target);
  return route ? route->name : "(none)";
}

TEST(router, takes_the_most_specific_route_whatever_the_order) {
  std::vector<config::RouteConfig> routes{
      route("any", "", "/"),
      route("any-deep", "", "/a/b/c"),
      route("wild", "*.example.com", "/"),
      route("wild-long", "*.eu.example.com", "/"),
      route("exact", "x.eu.example.com", "/"),
      route("exact-a", "x.eu.example.com", "/a"),
  };
  for (int turn = 0; turn < 2; ++turn) {
    const Router router(routes);
    EXPECT_EQ(found(router, "other.org", "/x"), "any");
    EXPECT_EQ(found(router, "other.org", "/a/b/c"), "any-deep");
    EXPECT_EQ(found(router, "y.example.com", "/a/b/c"), "wild") << "a host outweighs a longer path";
    EXPECT_EQ(found(router, "y.eu.example.com", "/"), "wild-long");
    EXPECT_EQ(found(router, "x.eu.example.com", "/"), "exact");
    EXPECT_EQ(found(router, "x.eu.example.com", "/a/b/c"), "exact-a");
    std::reverse(routes.begin(), routes.end());
  }
}

TEST(router, takes_the_first_of_equals) {
  const Router router({route("first", "h", "/a"), route("second", "h", "/a")});
  EXPECT_EQ(found(router, "h", "/a"), "first");
}

TEST(router, compares_whole_path_segments) {
  const struct {
    const char *path, *target;
    bool fits;
  } cases[] = {
      {"/a", "/a", true},      {"/a", "/a/b", true}, {"/a", "/a?x=1", true}, {"/a", "/a/", true},
      {"/a", "/ab", false},    {"/a", "/A", false},  {"/a", "/", false},     {"/a", "/b/a", false},
      {"/a/", "/a/b", true},   {"/a/", "/a/", true}, {"/a/", "/a", false},   {"/", "/anything", true},
      {"/", "*", true},        {"/a", "*", false},   {"/a", "/%61", false},  {"/a/b", "/a//b", false},
      {"/a", "/a%2fb", false}, {"/a", "", false},    {"/a", "/a#x", false},
  };
  for (const auto& each : cases) {
    const Router router({route("r", "", each.path)});
    EXPECT_EQ(found(router, "h", each.target) == "r", each.fits) << each.path << " and " << each.target;
  }
}

TEST(router, compares_hosts_without_case_or_port) {
  const struct {
    const char *pattern, *host;
    bool fits;
  } cases[] = {
      {"example.com", "example.com", true},
      {"example.com", "EXAMPLE.com:8080", true},
      {"example.com", "www.example.com", false},
      {"example.com", "example.com.evil.org", false},
      {"example.com", "", false},
      {"*.example.com", "a.example.com", true},
      {"*.example.com", "a.b.Example.COM:443", true},
      {"*.example.com", "example.com", false},
      {"*.example.com", ".example.com", false},
      {"*.example.com", "badexample.com", false},
      {"[2001:db8::1]", "[2001:db8::1]", true},
      {"[2001:db8::1]", "[2001:DB8::1]:8080", true},
      {"", "", true},
      {"", "anything:1", true},
  };
  for (const auto& each : cases) {
    const Router router({route("r", each.pattern, "/")});
    EXPECT_EQ(found(router, each.host, "/") == "r", each.fits) << each.pattern << " and " << each.host;
  }
}

TEST(router, finds_nothing_among_no_routes) {
  const Router router({});
  EXPECT_EQ(router.find("h", "/"), nullptr);
  EXPECT_TRUE(router.routes().empty());
}

TEST(Router, sees_through_other_spellings_of_a_path_with_a_provider) {
  config::RouteConfig feishu{.name = "feishu", .path = "/feishu/webhook"};
  feishu.provider.emplace();
  const Router router({feishu, {.name = "inner", .path = "/feishu/webhook/live"}, {.name = "default"}});
  for (const char* target :
       {"/feishu/%77ebhook", "//feishu/webhook", "/feishu//webhook?x", "/x/../feishu/webhook",
        "/feishu/./webhook", "/FEISHU/webhook", "/feishu/webhook;x=1", "/feishu/%2577ebhook",
        "/feishu\\webhook", "/feishu;a/webhook/b", "/feishu/webhook%2Fb", "/%2e%2e/feishu/webhook"}) {
    const config::RouteConfig* found = router.find("a", target);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "default") << target;
    EXPECT_TRUE(router.evades_provider(found, "a", target)) << target;
  }
  for (const char* target :
       {"/", "/feishu", "/feishu/webhooks", "/%zz", "/a/b/../c", "/feishu/webhook/live/x"}) {
    const config::RouteConfig* found = router.find("a", target);
    EXPECT_FALSE(router.evades_provider(found, "a", target)) << target;
  }
  config::RouteConfig upper{.name = "hook", .path = "/Hook"};
  upper.provider.emplace();
  const Router mixed({upper, {.name = "default"}});
  EXPECT_TRUE(mixed.evades_provider(mixed.find("x", "/hook"), "x", "/hook"))
      << "a plain target of a route that is not";
  const Router plain({{.name = "a", .path = "/a"}, {.name = "default"}});
  EXPECT_FALSE(plain.evades_provider(plain.find("x", "//a"), "x", "//a")) << "nothing to get around";
}

}  // namespace
}  // namespace rockdove::server
