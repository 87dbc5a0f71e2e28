#include "inbox/event_query.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace rockdove::inbox {
namespace {

using std::chrono::milliseconds;

constexpr EventId latest = std::numeric_limits<std::int64_t>::max();

PageRequest page_of(std::string_view query) {
  const auto page = parse_page_request(query);
  EXPECT_TRUE(page) << query << ": " << (page ? "" : page.error().text);
  return page ? *page : PageRequest{};
}

std::string complaint_about(std::string_view query) {
  const auto page = parse_page_request(query);
  return page ? "" : page.error().text;
}

TEST(event_query, no_query_is_the_newest_of_all) {
  const PageRequest page = page_of("");
  EXPECT_TRUE(restricts_nothing(page.filter));
  EXPECT_EQ(page.limit, 100U);
  EXPECT_EQ(page.cursor, 0U);
  EXPECT_FALSE(page.oldest_first);
}

TEST(event_query, every_key_is_understood) {
  const std::string id = format_event_id(77);
  const PageRequest page =
      page_of("tunnel=bot&route=a%20b&status=dead,waiting,dead&since=1970-01-01T00:00:01Z&until=" + id +
              "&text=%E4%BD%A0+%2B&limit=7&cursor=" + id + "&order=oldest");
  EXPECT_EQ(page.filter.tunnel, "bot");
  EXPECT_EQ(page.filter.route, "a b");
  EXPECT_EQ(page.filter.states, (std::vector{State::dead, State::waiting}));
  EXPECT_EQ(page.filter.from, first_id_at(WallTime(milliseconds(1000))));
  EXPECT_EQ(page.filter.until, 77U);
  EXPECT_EQ(page.filter.text, "\xE4\xBD\xA0 +");
  EXPECT_EQ(page.limit, 7U);
  EXPECT_EQ(page.cursor, 77U);
  EXPECT_TRUE(page.oldest_first);
}

TEST(event_query, each_key_alone_restricts) {
  for (const char* query :
       {"tunnel=a", "route=a", "status=done", "since=2026-01-01T00:00:00Z", "until=2026-01-01T00:00:00Z",
        "until=1960-01-01T00:00:00Z", "until=evt_0000000000000", "text=a"})
    EXPECT_FALSE(restricts_nothing(page_of(query).filter)) << query;
  EXPECT_TRUE(restricts_nothing(page_of("limit=1&order=oldest").filter));
}

TEST(event_query, a_time_that_no_id_can_hold_does_not_wrap_around) {
  EXPECT_EQ(page_of("until=9999-12-31T23:59:59Z").filter.until, latest);
  EXPECT_EQ(page_of("since=9999-12-31T23:59:59Z").filter.from, latest);
  EXPECT_EQ(page_of("since=evt_fzzzzzzzzzzzz").filter.from, latest);
  EXPECT_EQ(page_of("since=1900-01-01T00:00:00Z").filter.from, 0U);
  EXPECT_EQ(page_of("until=1900-01-01T00:00:00Z").filter.until, 1U);
}

TEST(event_query, what_is_wrong_is_named) {
  const struct {
    const char *query, *named;
  } cases[] = {
      {"colour=red", "\"colour\" is unknown: there are tunnel, route, status, since, until, text, limit"},
      {"Tunnel=a", "\"Tunnel\" is unknown"},
      {"tunnel", "\"tunnel\" has no value"},
      {"tunnel=", "\"tunnel\" has no value"},
      {"tunnel=a&tunnel=a", "\"tunnel\" is there twice"},
      {"tunnel=a&&route=b", "empty part"},
      {"=a", "\"\" is unknown"},
      {"text=%zz", "%25"},
      {"%=1", "%25"},
      {"status=lost", "\"lost\" is none of waiting"},
      {"status=Dead", "\"Dead\""},
      {"status=,dead", "\"\" is none"},
      {"status=dead,", "after the last comma"},
      {"since=yesterday", "\"yesterday\" is neither"},
      {"since=1h", "neither"},
      {"since=2026-01-01T00:00:00+08:00", "%2B"},
      {"until=evt_1", "neither"},
      {"limit=0", "from 1 to 1000"},
      {"limit=1001", "from 1 to 1000"},
      {"limit=-1", "from 1 to 1000"},
      {"limit=5x", "from 1 to 1000"},
      {"limit=99999999999999999999999", "from 1 to 1000"},
      {"cursor=7", "cursor"},
      {"cursor=evt_0000000000000", "cursor"},
      {"order=up", "oldest nor newest"},
  };
  for (const auto& each : cases)
    EXPECT_NE(complaint_about(each.query).find(each.named), std::string::npos)
        << each.query << ": " << complaint_about(each.query);
  EXPECT_NE(complaint_about("text=" + std::string(1025, 'a')), "");
  EXPECT_EQ(complaint_about("text=" + std::string(1024, 'a')), "");
}

}  // namespace
}  // namespace rockdove::inbox
