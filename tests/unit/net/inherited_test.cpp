#include "net/inherited.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

namespace rockdove::net {
namespace {

constexpr std::array<std::string_view, 3> names{"ingress", "tunnel", "admin"};
constexpr long own_process = 42;

InheritedSockets sockets_of(std::map<std::string, std::string> variables) {
  const Environment environment = [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return inherited_sockets(environment, own_process, names);
}

TEST(InheritedSockets, are_none_without_a_manager_or_for_another_process) {
  EXPECT_TRUE(sockets_of({}).empty());
  for (const char* process : {"43", "", "42x", "-42", "99999999999999999999"})
    EXPECT_TRUE(
        sockets_of({{"LISTEN_PID", process}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "ingress"}}).empty())
        << process;
}

TEST(InheritedSockets, have_the_names_of_their_units_from_descriptor_3_on) {
  const InheritedSockets expected{{"admin", 3}, {"ingress", 4}};
  EXPECT_EQ(sockets_of({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "admin:ingress"}}),
            expected);
}

TEST(InheritedSockets, count_as_many_as_there_are_said_to_be) {
  for (const char* count : {"0", "-1", "", "one"})
    EXPECT_TRUE(
        sockets_of({{"LISTEN_PID", "42"}, {"LISTEN_FDS", count}, {"LISTEN_FDNAMES", "ingress"}}).empty())
        << count;
  const InheritedSockets first{{"ingress", 3}};
  EXPECT_EQ(sockets_of({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "ingress:tunnel"}}),
            first);
  EXPECT_THROW(sockets_of({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "65"}}), std::runtime_error);
}

TEST(InheritedSockets, with_names_that_nobody_knows_are_an_error_that_says_which_are_known) {
  for (const char* given : {"rockdove-server.socket", "unknown", "ingress:", "", "ingress:ingress"}) {
    try {
      sockets_of({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", given}});
      FAIL() << given;
    } catch (const std::runtime_error& error) {
      const std::string message = error.what();
      EXPECT_TRUE(message.find("ingress, tunnel, admin") != message.npos ||
                  message.find("two sockets") != message.npos)
          << message;
    }
  }
}

}  // namespace
}  // namespace rockdove::net
