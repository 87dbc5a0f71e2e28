// From Feishu's events to what somebody wants of the bot. Pure; made of foreign bytes.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace rockdove::feishu_bot {

/// Somebody said something to the bot.
struct Ask {
  enum class From { message, button };
  From from = From::message;
  std::string chat_id;  ///< answers are counted per chat; may be empty, when an old card's button was pressed
  std::string message_id;  ///< what to reply to
  std::string text;        ///< without mentions and white space around; empty: nothing that is text
};

/// An event im.message.receive_v1. Nothing if it is not for the bot: written by a program, or in a group
/// without a mention; and if it has no usable ids.
std::optional<Ask> read_message(const boost::json::value& event);

/// A press of one of our cards' buttons, card.action.trigger or the old card.action.trigger_v1: as if its
/// command had been typed. Nothing if it is no button of ours.
std::optional<Ask> read_card_action(const boost::json::value& event);

/// The same text without "@_user_1" and "@_all", which is how mentions stand in it.
std::string without_mentions(std::string_view text);

}  // namespace rockdove::feishu_bot
