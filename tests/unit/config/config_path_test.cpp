#include "config/config_path.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace rockdove::config {
namespace {

namespace fs = std::filesystem;

class ConfigPath : public testing::Test {
 protected:
  ConfigPath() {
    auto name = (fs::temp_directory_path() / "rockdove-path-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
    ::setenv("HOME", home_.c_str(), 1);
    ::unsetenv("XDG_CONFIG_HOME");
    ::unsetenv("ROCKDOVE_CONFIG");
  }
  ~ConfigPath() override {
    ::unsetenv("XDG_CONFIG_HOME");
    ::unsetenv("ROCKDOVE_CONFIG");
    fs::remove_all(home_);
  }

  static void touch(const fs::path& path) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << "";
  }

  fs::path home_;
};

TEST_F(ConfigPath, what_is_named_wins_even_if_it_does_not_exist) {
  touch(home_ / ".config/rockdove/server.toml");
  EXPECT_EQ(find_config("/no/such", "server"), "/no/such");
  ::setenv("ROCKDOVE_CONFIG", "/nor/this", 1);
  EXPECT_EQ(find_config("", "server"), "/nor/this");
  EXPECT_EQ(config_to_write("", "agent"), "/nor/this");
  EXPECT_EQ(find_config("/no/such", "server"), "/no/such");
}

TEST_F(ConfigPath, the_users_directory_follows_xdg_config_home) {
  touch(home_ / ".config/rockdove/server.toml");
  EXPECT_EQ(find_config("", "server"), home_ / ".config/rockdove/server.toml");
  EXPECT_NE(find_config("", "agent"), home_ / ".config/rockdove/agent.toml") << "there is no such file";
  ::setenv("XDG_CONFIG_HOME", (home_ / "xdg").c_str(), 1);
  touch(home_ / "xdg/rockdove/server.toml");
  EXPECT_EQ(find_config("", "server"), home_ / "xdg/rockdove/server.toml");
  EXPECT_EQ(config_to_write("", "agent"), home_ / "xdg/rockdove/agent.toml");
}

}  // namespace
}  // namespace rockdove::config
