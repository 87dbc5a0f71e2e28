// Interactive cards, and the answers to their buttons (open.feishu.cn: 飞书卡片).
#pragma once

#include "feishu-bot/feishu_api.hpp"

#include <string>
#include <string_view>

namespace rockdove::feishu_bot {

/// What the bot can do, with a button for each command. Feishu takes cards of at most 30 KB; it has about 1
/// KB.
Message help_card();

/// The answer to card.action.trigger: a short note for whoever pressed the button. `type` is info, success,
/// error or warning.
std::string toast(std::string_view type, std::string_view text);

}  // namespace rockdove::feishu_bot
