#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

namespace rockdove {
namespace {

constexpr int first = static_cast<int>(Error::closed);
constexpr int last = static_cast<int>(Error::protocol);

TEST(error, has_a_name_and_a_text_for_every_enumerator) {
  for (int value = first; value <= last; ++value) {
    const auto code = make_error_code(static_cast<Error>(value));
    const std::string_view name = error_name(code);
    EXPECT_NE(name, "system_error") << value;
    EXPECT_FALSE(name.empty()) << value;
    for (const char c : name) EXPECT_TRUE(std::islower(static_cast<unsigned char>(c)) || c == '_') << name;
    EXPECT_FALSE(code.message().starts_with("unknown")) << name;
  }
}

TEST(error, has_names_that_lead_back_to_it) {
  std::set<std::string_view> names;
  std::set<std::string> texts;
  for (int value = first; value <= last; ++value) {
    const auto error = static_cast<Error>(value);
    const std::string_view name = error_name(error);
    EXPECT_TRUE(names.insert(name).second) << name << " stands twice";
    EXPECT_TRUE(texts.insert(make_error_code(error).message()).second) << name << " has another's text";
    EXPECT_EQ(error_named(name), error) << name;
  }
}

TEST(error, reads_an_unknown_name_as_a_protocol_error) {
  for (const std::string_view name : {"", "Closed", "closed ", "no_such_error", "system_error"})
    EXPECT_EQ(error_named(name), Error::protocol) << name;
}

TEST(error, knows_the_hop_it_happened_at) {
  const struct {
    Error error;
    Hop hop;
  } cases[] = {
      {Error::malformed, Hop::edge},
      {Error::body_too_large, Hop::edge},
      {Error::body_timed_out, Hop::edge},
      {Error::no_route, Hop::edge},
      {Error::no_agent, Hop::edge},
      {Error::queue_full, Hop::edge},
      {Error::draining, Hop::edge},
      {Error::link_lost, Hop::link},
      {Error::stream_refused, Hop::link},
      {Error::stream_reset, Hop::link},
      {Error::unauthorized, Hop::link},
      {Error::protocol, Hop::link},
      {Error::upstream_unknown, Hop::upstream},
      {Error::upstream_refused, Hop::upstream},
      {Error::upstream_reset, Hop::upstream},
      {Error::upstream_timeout, Hop::upstream},
      {Error::upstream_malformed, Hop::upstream},
      {Error::no_link, Hop::link},
      {Error::destination_denied, Hop::edge},
      {Error::address_denied, Hop::edge},
      {Error::destination_refused, Hop::destination},
      {Error::destination_timeout, Hop::destination},
  };
  for (const auto& each : cases) EXPECT_EQ(hop_of(each.error), each.hop) << error_name(each.error);
  EXPECT_EQ(hop_name(Hop::edge), "edge");
  EXPECT_EQ(hop_name(Hop::link), "link");
  EXPECT_EQ(hop_name(Hop::upstream), "upstream");
  EXPECT_EQ(hop_name(Hop::destination), "destination");
}

TEST(error, names_what_is_not_ours_as_the_system_s) {
  const auto refused = boost::system::errc::make_error_code(boost::system::errc::connection_refused);
  EXPECT_EQ(error_name(refused), "system_error");
  EXPECT_EQ(hop_of(refused), Hop::link);
  // The same number in another category is another error.
  const boost::system::error_code same_number(static_cast<int>(Error::no_agent),
                                              boost::system::generic_category());
  EXPECT_EQ(error_name(same_number), "system_error");
  EXPECT_EQ(error_name(boost::system::error_code(9999, error_category())), "system_error");
}

}  // namespace
}  // namespace rockdove
