#include "tunnel/report.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rockdove::tunnel {
namespace {

TEST(report, is_read_back_as_it_was_written) {
  const std::vector<std::vector<UpstreamReport>> cases{
      {},
      {{"default", "http://127.0.0.1:5000", true, ""}},
      {{"default", "http://127.0.0.1:5000", false, "connection refused"}, {"b", "https://[::1]:1", true, ""}},
      {{"quo\"te", "back\\slash", false, "new\nline \xe9\xb4\xbf"}},
  };
  for (const auto& upstreams : cases) {
    const std::string text = encode_report(upstreams);
    const auto read = decode_report(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, upstreams) << text;
  }
}

TEST(report, keeps_within_its_size_whatever_the_upstreams_are_called) {
  const UpstreamReport wordy{std::string(40, 'n'), std::string(5000, 'u'), false, std::string(5000, 'd')};
  const std::string text = encode_report(std::vector<UpstreamReport>(200, wordy));
  const auto read = decode_report(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), 64U);
  EXPECT_EQ(read->front().url, std::string(200, 'u'));
  EXPECT_EQ(read->front().detail, std::string(200, 'd'));
}

TEST(report, leaves_unknown_keys_aside_and_fills_in_missing_ones) {
  const auto read = decode_report(R"({"new":[1],"upstreams":[{"name":"a","load":3},{"url":7,"up":"yes"}]})");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (std::vector<UpstreamReport>{{"a", "", false, ""}, {"", "", false, ""}}));
}

TEST(report, refuses_what_is_not_one) {
  std::string many = R"({"upstreams":[{})";
  for (int i = 0; i < 64; ++i) many += ",{}";
  const std::string cases[] = {
      "",
      "null",
      "[]",
      "{}",
      R"({"upstreams":{}})",
      R"({"upstreams":[1]})",
      R"({"upstreams":[{}])",
      "{\"upstreams\":[]}x",
      many + "]}",
      std::string(100'000, '['),
      std::string("\0\xff", 2),
  };
  for (const std::string& text : cases) {
    const auto read = decode_report(text);
    ASSERT_FALSE(read) << text.substr(0, 80);
    EXPECT_EQ(read.error(), Error::protocol);
  }
}

}  // namespace
}  // namespace rockdove::tunnel
