#include "server/fan_out.hpp"

#include "unit/inbox/capture_scene.hpp"

namespace rockdove::server {
namespace {

TEST(Targets, want_a_type_its_beginning_or_everything) {
  const auto wanted = [](std::vector<std::string> types, std::string_view type) {
    return wants(config::TargetConfig{"t", "t", "", std::move(types)}, type);
  };
  EXPECT_TRUE(wanted({}, "a"));
  EXPECT_TRUE(wanted({}, ""));
  EXPECT_TRUE(wanted({"*"}, ""));
  EXPECT_TRUE(wanted({"a.b"}, "")) << "nobody could read it: twice is better than never";
  EXPECT_TRUE(wanted({"a.b"}, "a.b"));
  EXPECT_TRUE(wanted({"x", "a.*"}, "a.b"));
  EXPECT_TRUE(wanted({"a.*"}, "a."));
  for (const char* type : {"a", "ab", "b.a", "A.b"}) EXPECT_FALSE(wanted({"a.*", "a.b"}, type)) << type;
}

class FanOutTest : public inbox::CaptureTest {
 protected:
  FanOutTest() : fan_out(io.get_executor(), *capture) {}
  ~FanOutTest() override {
    store.hold_appends = false;
    test::run(io, fan_out.cancel());
  }

  /// "202 kept", or the name of the error.
  std::string send(const std::string& content, inbox::Mode mode = inbox::Mode::inbox, std::string id = "e") {
    auto answer = test::run(io, call(content, mode, std::move(id)));
    return answer ? std::to_string(answer->status) + " " + answer->content
                  : std::string(error_name(answer.error()));
  }

  Awaitable<Result<http::Response>> call(std::string content, inbox::Mode mode, std::string id) {
    http::Request request = post(std::move(content));
    std::vector<http::Context> contexts;
    for (const char* name : {"hook/a", "hook/b", "hook/c"}) {
      contexts.push_back(request.context);
      contexts.back().route = name;
    }
    auto options = std::make_shared<const inbox::RouteOptions>(options_for(mode));
    inbox::EventFacts facts;
    facts.id = std::move(id);
    auto hold = capture->hold(request.content.size());
    auto answer = co_await fan_out.handle(std::move(request), std::move(contexts), std::move(options),
                                          std::move(facts), std::move(hold));
    co_return answer;
  }

  inbox::RouteOptions options_for(inbox::Mode mode) const {
    auto options = route(mode, deadline);
    options.dedupe = {inbox::KeyRule{inbox::KeyRule::From::id, ""}};
    return options;
  }

  std::set<std::string> routes() {
    auto page = test::run(io, store.list({}));
    std::set<std::string> names;
    for (const inbox::Event& event : page->events) names.insert(event.route);
    return names;
  }

  FanOut fan_out;
  std::chrono::milliseconds deadline{2000};
};

TEST_F(FanOutTest, each_target_has_an_event_of_its_own) {
  EXPECT_EQ(send("x"), "202 kept");
  EXPECT_EQ(routes(), (std::set<std::string>{"hook/a", "hook/b", "hook/c"}));
  EXPECT_EQ(send("x"), "202 kept");
  EXPECT_EQ(store.size(), 3U) << "it is a duplicate for each";
}

TEST_F(FanOutTest, by_automatic_the_first_targets_answer_is_given) {
  EXPECT_EQ(send("x", inbox::Mode::automatic), "200 own");
  EXPECT_EQ(store.size(), 3U);
}

TEST_F(FanOutTest, a_disk_that_hangs_is_told_by_the_routes_deadline_for_every_copy) {
  store.hold_appends = true;
  const auto began = net::Clock::now();
  deadline = std::chrono::milliseconds(40);
  EXPECT_EQ(send("x", inbox::Mode::automatic), "unavailable");
  EXPECT_LT(net::Clock::now() - began, std::chrono::seconds(1)) << "and not by the limit of commits, 2 s";
}

TEST_F(FanOutTest, nothing_is_stored_if_there_is_no_room_for_all) {
  inbox::Capture::Options small;
  small.memory = 2500;
  inbox::Capture other(io.get_executor(), store, *deliverer, clock, small);
  FanOut narrow(io.get_executor(), other);
  http::Request request = post(std::string(1000, 'x'));
  std::vector<http::Context> contexts(3, request.context);
  auto hold = other.hold(1000);
  ASSERT_TRUE(hold);
  auto options = std::make_shared<const inbox::RouteOptions>(options_for(inbox::Mode::inbox));
  auto answer =
      test::run(io, narrow.handle(std::move(request), std::move(contexts), options, {}, std::move(hold)));
  EXPECT_EQ(answer.error(), Error::queue_full);
  EXPECT_EQ(store.size(), 0U);
  EXPECT_TRUE(other.hold(2500)) << "what was held has been given back";
}

TEST_F(FanOutTest, one_copy_that_is_not_stored_is_an_error_and_the_next_try_stores_what_is_missing) {
  std::optional<Result<http::Response>> answer;
  store.hold_appends = true;
  net::asio::co_spawn(
      io.get_executor(), call("x", inbox::Mode::inbox, "e"),
      [&answer](std::exception_ptr, Result<http::Response> result) { answer.emplace(std::move(result)); });
  ASSERT_TRUE(test::run_until(io, [this] { return store.size() == 1; }));
  store.fail_with = Error::unavailable;  // of the other two
  test::run_for(io, std::chrono::milliseconds(20));
  EXPECT_FALSE(answer) << "all copies have to be on disk";
  store.hold_appends = false;
  ASSERT_TRUE(test::run_until(io, [&answer] { return answer.has_value(); }));
  EXPECT_EQ(answer->error(), Error::unavailable);
  EXPECT_EQ(store.size(), 1U);
  store.fail_with.reset();
  EXPECT_EQ(send("x"), "202 kept");
  EXPECT_EQ(routes(), (std::set<std::string>{"hook/a", "hook/b", "hook/c"}));
}

}  // namespace
}  // namespace rockdove::server
