#include "net/notify.hpp"

#include "support/run.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <map>

namespace rockdove::net {
namespace {

using Variables = std::map<std::string, std::string>;

NotifySettings settings_of(const Variables& variables) {
  const Environment environment = [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return notify_settings(environment, 42);
}

/// A service manager's end.
class Manager {
 public:
  explicit Manager(std::string name) : name_(std::move(name)), descriptor_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    if (name_.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size), 0) << std::strerror(errno);
  }
  ~Manager() { ::close(descriptor_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  const std::string& name() const { return name_; }
  /// The next message, "" if none has come.
  std::string next() const {
    char buffer[512];
    const auto size = ::recv(descriptor_, buffer, sizeof buffer, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(buffer, static_cast<std::size_t>(size));
  }

 private:
  const std::string name_;
  const int descriptor_;
};

TEST(NotifySettings, AreEmptyWithoutAServiceManager) {
  EXPECT_EQ(settings_of({}), NotifySettings{});
  EXPECT_EQ(settings_of({{"WATCHDOG_USEC", "1000000"}}), NotifySettings{});
}

TEST(NotifySettings, TakePathsAndAbstractNamesAndNothingElse) {
  for (const char* socket : {"/run/systemd/notify", "@abstract"})
    EXPECT_EQ(settings_of({{"NOTIFY_SOCKET", socket}}).socket, socket);
  const std::string longest = "/" + std::string(106, 'a');
  EXPECT_EQ(settings_of({{"NOTIFY_SOCKET", longest}}).socket, longest);
  for (const std::string& socket : {std::string(), std::string("/"), std::string("@"),
                                    std::string("relative"), std::string("vsock:2:1234"), longest + "a"})
    EXPECT_EQ(settings_of({{"NOTIFY_SOCKET", socket}, {"WATCHDOG_USEC", "5"}}), NotifySettings{}) << socket;
}

TEST(NotifySettings, TakeAWatchdogThatIsMeantForThisProcess) {
  struct Case {
    const char* interval;
    const char* process;
    std::int64_t expected;
  };
  for (const auto& [interval, process, expected] : std::initializer_list<Case>{
           {"30000000", "42", 30000000},
           {"30000000", nullptr, 30000000},
           {"1", "42", 1},
           {"30000000", "43", 0},
           {"30000000", "", 0},
           {"30000000", "42x", 0},
           {"0", "42", 0},
           {"-1", "42", 0},
           {"", "42", 0},
           {"30s", "42", 0},
           {"99999999999999999999", "42", 0},
           {"9223372036854775807", "42", 86400000000},
       }) {
    Variables variables{{"NOTIFY_SOCKET", "/run/notify"}, {"WATCHDOG_USEC", interval}};
    if (process) variables["WATCHDOG_PID"] = process;
    EXPECT_EQ(settings_of(variables).watchdog, std::chrono::microseconds(expected))
        << interval << " for " << (process ? process : "anybody");
  }
}

TEST(Notifier, SaysEachStateInOneMessage) {
  IoContext io;
  const test::ScratchDirectory directory;
  for (const std::string& name :
       {(directory.path() / "notify").string(), "@rockdove-notify-" + std::to_string(::getpid())}) {
    const Manager manager(name);
    Notifier notifier(io.get_executor(), NotifySettings{manager.name(), Duration::zero()});
    notifier.ready("listens");
    EXPECT_EQ(manager.next(), "READY=1\nSTATUS=listens\n");
    const auto before =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
    notifier.reloading();
    const std::string reloading = manager.next();
    const std::string begin = "RELOADING=1\nMONOTONIC_USEC=";
    ASSERT_EQ(reloading.substr(0, begin.size()), begin);
    EXPECT_GE(std::stoll(reloading.substr(begin.size())), before.count());
    notifier.stopping();
    EXPECT_EQ(manager.next().substr(0, 11), "STOPPING=1\n");
    EXPECT_EQ(manager.next(), "");
  }
}

TEST(Notifier, BeatsTwiceAnIntervalUntilItIsStopped) {
  IoContext io;
  const test::ScratchDirectory directory;
  const Manager manager((directory.path() / "notify").string());
  Notifier notifier(io.get_executor(), NotifySettings{manager.name(), std::chrono::milliseconds(20)});
  const auto began = Clock::now();
  int beats = 0;
  bool ended = false;
  asio::co_spawn(io, notifier.beat(), [&ended](std::exception_ptr error) {
    EXPECT_FALSE(error);
    ended = true;
  });
  test::run_until(io, [&] {
    while (manager.next() == "WATCHDOG=1\n") ++beats;
    return beats >= 5;
  });
  EXPECT_GE(Clock::now() - began, std::chrono::milliseconds(40)) << "four halves of 20 ms between five beats";
  EXPECT_FALSE(ended);
  notifier.stop();
  test::run_until(io, [&] { return ended; });
}

TEST(Notifier, IsSilentWithoutAManagerAndSurvivesOneThatIsGone) {
  IoContext io;
  Notifier nobody(io.get_executor(), NotifySettings{});
  nobody.ready("listens");
  test::run(io, nobody.beat());
  Notifier gone(io.get_executor(), NotifySettings{"/nowhere/notify", std::chrono::hours(1)});
  gone.ready("listens");
  gone.stopping();
}

}  // namespace
}  // namespace rockdove::net
