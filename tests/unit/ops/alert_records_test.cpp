#include "ops/alert_records.hpp"

#include <gtest/gtest.h>

namespace rockdove::ops {
namespace {

using namespace std::chrono_literals;

TEST(AlertRecords, come_back_as_they_were_written) {
  const std::vector<AlertRecord> records{
      {AlertKind::agent_gone, "bot", 0, AlertTime(1'700'000'000'123ms), AlertTime(1'700'000'120'456ms)},
      {AlertKind::certificate, "ingress", -3, AlertTime(0ms), AlertTime(5ms)}};
  EXPECT_EQ(read_alert_records(write_alert_records(records)), records);
  EXPECT_EQ(read_alert_records(write_alert_records({})), std::vector<AlertRecord>{});
}

TEST(AlertRecords, what_is_none_of_ours_is_refused) {
  const char* const good = R"("kind":"store","subject":"","amount":0,"since":"2026-01-01T00:00:00Z")";
  for (const std::string& text :
       {std::string(""), std::string("{"), std::string("[]"), std::string("{\"told\":1}"),
        std::string("{\"told\":[1]}"), "{\"told\":[{" + std::string(good) + "}]}",
        "{\"told\":[{" + std::string(good) + ",\"told\":\"yesterday\"}]}"})
    EXPECT_FALSE(read_alert_records(text)) << text;
}

TEST(AlertRecords, a_kind_of_a_later_version_is_left_out) {
  const auto records =
      read_alert_records(R"({"told":[{"kind":"moon","subject":"","amount":0,"since":"2026-01-01T00:00:00Z",)"
                         R"("told":"2026-01-01T00:00:00Z"},{"kind":"store","subject":"","amount":0,)"
                         R"("since":"2026-01-01T00:00:00Z","told":"2026-01-01T00:00:00Z"}]})");
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ(records->front().kind, AlertKind::store);
}

}  // namespace
}  // namespace rockdove::ops
