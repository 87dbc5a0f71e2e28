#include "net/log.hpp"
#include "unit/egress/lingxing_scene.hpp"

namespace rockdove::egress {
namespace {

const std::string ok = "200 " + json_answer("0");

TEST_F(LingxingTest, fetches_one_token_however_many_calls_wait_for_it) {
  api_.tokens_held = true;
  std::vector<Said> all;
  for (int i = 0; i < 20; ++i) all.push_back(start("/path/" + std::to_string(i)).second);
  EXPECT_EQ(api_.fetches, 1U);
  EXPECT_EQ(api_.seen.size(), 0U);
  api_.tokens_held = false;
  ASSERT_TRUE(
      until([&] { return std::ranges::all_of(all, [](const Said& each) { return each->has_value(); }); }));
  for (const Said& each : all) EXPECT_EQ(**each, ok);
  EXPECT_EQ(api_.fetches, 1U);
}

TEST_F(LingxingTest, refreshes_its_token_before_that_ends) {
  call("/x");
  now_ += 7199s - 5min - 1s;
  call("/x");
  EXPECT_EQ(api_.refreshes, 0U);
  now_ += 1s;
  EXPECT_EQ(call("/x"), ok);
  settle_down();
  EXPECT_EQ(api_.refreshes, 1U);
  EXPECT_EQ(api_.fetches, 1U);
  now_ += 7199s - 5min;
  EXPECT_EQ(call("/x"), ok);
  settle_down();
  EXPECT_EQ(api_.refreshes, 2U) << "with the refresh token that came with the second";
  EXPECT_EQ(lingxing().counters().tokens.refreshed, 2U);
}

TEST_F(LingxingTest, makes_no_call_wait_for_the_renewal_of_a_token_that_lives) {
  call("/x");
  now_ += 7000s;
  api_.tokens_held = true;
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(call("/y"), ok);
  EXPECT_EQ(api_.refreshes, 1U) << "under way";
  const std::size_t before = api_.seen.size();
  api_.lose_token();  // Lingxing has made the next one, and its answer is not here yet
  const auto said = start("/x").second;
  EXPECT_EQ(api_.seen.size(), before + 1) << "refused, and waiting for the new one";
  api_.tokens_held = false;
  ASSERT_TRUE(until([&] { return said->has_value(); }));
  EXPECT_EQ(**said, ok);
  EXPECT_EQ(api_.refreshes + api_.fetches, 2U);
}

TEST_F(LingxingTest, does_not_fetch_a_token_for_every_call_when_another_program_does_so_too) {
  std::string said;
  for (int i = 0; i < 10; ++i) {
    call("/x");
    api_.lose_token();
    said = call("/x");
  }
  EXPECT_EQ(said, "200 " + json_answer("2001005"));
  EXPECT_EQ(api_.fetches, 2U);
  now_ += 5s;
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(api_.fetches, 3U);
}

TEST_F(LingxingTest, keeps_its_token_when_the_configuration_changes_around_it) {
  FakeLingxing elsewhere(io_.get_executor());
  call("/x");
  elsewhere.token = api_.token;
  api_.held = true;
  const auto first = start("/x").second;
  const auto second = start("/x").second;
  const auto third = start("/x").second;
  EXPECT_EQ(lingxing().waiting(), 2U);
  lingxing().adopt(next(elsewhere), options_.app_secret, {{"/x", 2}});
  settle_down();
  EXPECT_EQ(**second, ok) << "it has a place now, and goes the new way";
  EXPECT_EQ(**third, ok);
  EXPECT_EQ(elsewhere.seen.size(), 2U);
  EXPECT_FALSE(first->has_value());
  api_.held = false;
  ASSERT_TRUE(until([&] { return first->has_value(); }));
  EXPECT_EQ(**first, ok);
  EXPECT_EQ(api_.fetches + elsewhere.fetches, 1U);
  lingxing().adopt(next(elsewhere), "another secret", {});
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(elsewhere.fetches, 1U);
  EXPECT_NE(elsewhere.token_seen.back().content.find("another secret"), std::string::npos);
  lingxing().adopt(next(api_), "another secret", {});
}

TEST_F(LingxingTest, fetches_another_token_where_a_refresh_fails) {
  for (const char* how : {"2001008", "2001009", "500", "down"}) {
    call("/x");
    const std::size_t before = api_.fetches;
    now_ += 7000s;
    api_.refresh_script = {how};
    EXPECT_EQ(call("/x"), ok) << how;
    settle_down();
    EXPECT_EQ(api_.fetches, before + 1) << how;
  }
  EXPECT_EQ(api_.refreshes, 4U) << "no refresh token is sent twice";
}

TEST_F(LingxingTest, fetches_instead_of_refreshing_when_it_was_idle_too_long) {
  call("/x");
  now_ += 3h;
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(api_.refreshes, 0U);
  EXPECT_EQ(api_.fetches, 2U);
}

TEST_F(LingxingTest, uses_a_token_that_cannot_be_renewed_as_long_as_it_lives) {
  call("/x");
  now_ += 7000s;
  api_.refresh_script = {"down"};
  api_.fetch_script = {"down", "down"};
  EXPECT_EQ(call("/x"), ok);
  settle_down();
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(api_.fetches, 2U) << "and does not try at every call";
  now_ += 200s;
  const std::string said = call("/x");
  EXPECT_TRUE(said.starts_with("502 ")) << said;
  EXPECT_NE(said.find("upstream_refused"), said.npos) << said;
}

TEST_F(LingxingTest, sends_a_call_once_more_with_a_fresh_token) {
  for (const char* code : {"2001003", "2001005"}) {
    call("/x");
    const std::size_t before = api_.fetches, sent = api_.seen.size();
    api_.script = {code};
    now_ += 5s;
    EXPECT_EQ(call("/x"), ok) << code;
    EXPECT_EQ(api_.fetches, before + 1);
    EXPECT_EQ(api_.seen.size(), sent + 2);
    EXPECT_NE(api_.seen[sent].target, api_.seen[sent + 1].target);
  }
  EXPECT_EQ(api_.refreshes, 0U) << "the pair is void: another program has fetched one";
}

TEST_F(LingxingTest, sends_a_call_no_more_than_once_more) {
  api_.script = {"2001005", "2001003", "0"};
  EXPECT_EQ(call("/x"), "200 " + json_answer("2001003"));
  EXPECT_EQ(api_.fetches, 2U);
  EXPECT_EQ(api_.seen.size(), 2U);
}

TEST_F(LingxingTest, fetches_once_when_many_calls_meet_the_end_of_a_token) {
  call("/x");
  api_.lose_token();
  api_.held = true;
  std::vector<Said> all;
  for (int i = 0; i < 10; ++i) all.push_back(start("/path/" + std::to_string(i)).second);
  EXPECT_EQ(api_.running, 10U);
  api_.held = false;
  ASSERT_TRUE(
      until([&] { return std::ranges::all_of(all, [](const Said& each) { return each->has_value(); }); }));
  for (const Said& each : all) EXPECT_EQ(**each, ok);
  EXPECT_EQ(api_.fetches, 2U);
}

TEST_F(LingxingTest, says_in_lingxings_words_why_there_is_no_token) {
  api_.fetch_script = {"3001002", "3001002"};
  const std::string said = call("/x");
  EXPECT_TRUE(said.starts_with("502 ")) << said;
  EXPECT_NE(said.find(R"("cause":"lingxing_token")"), said.npos) << said;
  EXPECT_NE(said.find("code 3001002: said 3001002"), said.npos) << said;
  EXPECT_EQ(call("/x"), said);
  EXPECT_EQ(api_.fetches, 1U) << "a wrong secret is not sent with every call";
  now_ += 5s;
  call("/x");
  EXPECT_EQ(api_.fetches, 2U);
  now_ += 5s;
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(api_.seen.size(), 1U);
}

TEST_F(LingxingTest, waits_for_a_token_no_longer_than_for_all_else) {
  options_.wait_limit = 40ms;
  api_.tokens_held = true;
  EXPECT_TRUE(call("/x").starts_with("504 "));
  EXPECT_EQ(api_.running, 1U) << "what others may be waiting for goes on";
  api_.tokens_held = false;
  settle_down();
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(api_.fetches, 1U);
}

TEST_F(LingxingTest, fetches_on_when_the_caller_that_began_it_goes) {
  api_.tokens_held = true;
  auto [task, said] = start("/x");
  const auto [other, heard] = start("/y");
  test::on_loop(io_, [&, t = task]() mutable { t.cancel(); });
  api_.tokens_held = false;
  ASSERT_TRUE(until([&] { return heard->has_value(); }));
  EXPECT_EQ(**heard, ok);
  EXPECT_EQ(api_.fetches, 1U);
}

TEST_F(LingxingTest, ends_a_fetch_that_is_not_answered) {
  options_.fetch_limit = 40ms;
  api_.tokens_held = true;
  const std::string said = call("/x");
  EXPECT_TRUE(said.starts_with("504 ")) << said;
  EXPECT_NE(said.find("upstream_timeout"), said.npos) << said;
}

TEST_F(LingxingTest, can_be_closed_in_the_middle_of_a_fetch) {
  api_.tokens_held = true;
  auto [task, said] = start("/x");
  test::on_loop(io_, [&, t = task]() mutable { t.cancel(); });
  ASSERT_TRUE(until([&] { return tasks_.empty(); }));
  test::run(io_, lingxing().close());
  EXPECT_EQ(api_.running, 0U);
}

TEST_F(LingxingTest, keeps_secrets_out_of_answers_and_of_the_log) {
  log::Options everything;
  everything.level = log::Level::trace;
  log::init(everything);
  testing::internal::CaptureStderr();
  const std::string fine = call("/x");
  const std::string token = api_.token;
  api_.lose_token();
  api_.fetch_script = {R"({"code":"the-secret"})"};
  std::string said = call("/x");
  now_ += 10s;
  api_.fetch_script = {R"({"code":1,"msg":"appSecret the-secret is wrong"})"};
  said += call("/x");
  const std::string logged = testing::internal::GetCapturedStderr();
  log::init({});
  EXPECT_NE(logged.find("lingxing"), logged.npos) << "it has to be looked at";
  EXPECT_NE(said.find("withheld"), said.npos) << said;
  for (const std::string& secret : {std::string("the-secret"), token, api_.refresh_token}) {
    EXPECT_EQ((logged + said).find(secret), std::string::npos) << secret << " in " << logged << said;
  }
}

}  // namespace
}  // namespace rockdove::egress
