#include "doctor/language.hpp"

#include <gtest/gtest.h>

#include <map>

namespace rockdove::doctor {
namespace {

Language of(const std::map<std::string, std::string>& variables) {
  return language_of([&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(language, the_first_variable_that_is_set_decides) {
  EXPECT_EQ(of({}), Language::english);
  EXPECT_EQ(of({{"LANG", "zh_CN.UTF-8"}}), Language::chinese);
  EXPECT_EQ(of({{"LANG", "zh_CN.UTF-8"}, {"LC_MESSAGES", "en_US.UTF-8"}}), Language::english);
  EXPECT_EQ(of({{"LANG", "zh_CN.UTF-8"}, {"LC_MESSAGES", "en_US.UTF-8"}, {"LC_ALL", "zh_TW"}}),
            Language::chinese);
  EXPECT_EQ(of({{"LANG", "zh_CN.UTF-8"}, {"LC_ALL", ""}}), Language::chinese);
  EXPECT_EQ(of({{"LANG", "zh_CN.UTF-8"}, {"LC_ALL", "C"}}), Language::english);
  EXPECT_EQ(of({{"LANG", "de_DE"}}), Language::english);
}

TEST(language, it_can_be_named) {
  EXPECT_EQ(language_named("en"), Language::english);
  EXPECT_EQ(language_named("zh"), Language::chinese);
  EXPECT_FALSE(language_named("zh_CN"));
  EXPECT_FALSE(language_named(""));
}

}  // namespace
}  // namespace rockdove::doctor
