// One thing that the doctor can say, in both languages.
#pragma once

#include <string_view>

namespace rockdove::doctor {

enum class State {
  ok,
  warn,  ///< works, but not as it should, or not for long
  fail,  ///< does not work, or lets others read secrets
};

/// "{0}", "{1}", ... in the texts are the values of a finding. Arrays: English, Chinese.
struct Row {
  std::string_view id;  ///< "check.finding": the part before the point is the check's name
  State state;
  std::string_view text[2];
  std::string_view advice[2];  ///< what to do; never empty for warn and fail

  constexpr std::string_view check() const { return id.substr(0, id.find('.')); }
};

}  // namespace rockdove::doctor
