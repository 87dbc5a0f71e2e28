#include "feishu-bot/messages.hpp"

#include "feishu-bot/json.hpp"

#include <algorithm>

namespace rockdove::feishu_bot {
namespace {

constexpr std::size_t id_bytes_max = 128;

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= id_bytes_max && std::ranges::all_of(text, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
}

/// With the scope im:message.group_at_msg only messages that mention the bot come; with a wider one others
/// come too, and then a mention of a person is not meant for it.
bool mentions_bot(const boost::json::value& event) {
  const auto* mentions = find(event, {"event", "message", "mentions"});
  const auto* list = mentions ? mentions->if_array() : nullptr;
  return list && std::ranges::any_of(*list, [](const boost::json::value& each) {
           return each.is_object() && text_at(each, {"mentioned_type"}) != "user";
         });
}

std::string trimmed(std::string text) {
  constexpr std::string_view spaces[] = {" ", "\t", "\r", "\n", "\u3000", "\u00a0"};
  std::string_view rest = text;
  for (bool found = true; found;) {
    found = false;
    for (const auto space : spaces) {
      if (rest.starts_with(space)) rest.remove_prefix(space.size()), found = true;
      if (rest.ends_with(space)) rest.remove_suffix(space.size()), found = true;
    }
  }
  return std::string(rest);
}

}  // namespace

std::string without_mentions(std::string_view text) {
  constexpr std::string_view user = "@_user_", all = "@_all";
  std::string plain;
  while (!text.empty()) {
    if (text.starts_with(all)) {
      text.remove_prefix(all.size());
    } else if (text.starts_with(user)) {
      text.remove_prefix(user.size());
      while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  return trimmed(std::move(plain));
}

std::optional<Ask> read_message(const boost::json::value& event) {
  Ask ask;
  ask.chat_id = text_at(event, {"event", "message", "chat_id"});
  ask.message_id = text_at(event, {"event", "message", "message_id"});
  if (!is_id(ask.chat_id) || !is_id(ask.message_id)) return std::nullopt;
  // Answering other bots, or ourselves, would go on for ever.
  const auto sender = text_at(event, {"event", "sender", "sender_type"});
  if (!sender.empty() && sender != "user") return std::nullopt;
  if (text_at(event, {"event", "message", "chat_type"}) != "p2p" && !mentions_bot(event)) return std::nullopt;
  if (text_at(event, {"event", "message", "message_type"}) == "text")
    if (const auto content = parse_json(text_at(event, {"event", "message", "content"})))
      ask.text = without_mentions(text_at(*content, {"text"}));
  return ask;
}

std::optional<Ask> read_card_action(const boost::json::value& event) {
  const auto* body = find(event, {"event"});
  const auto& from = body ? *body : event;  // the old kind has no envelope
  Ask ask;
  ask.from = Ask::From::button;
  ask.chat_id = text_at(from, {"context", "open_chat_id"});
  ask.message_id = body ? text_at(from, {"context", "open_message_id"}) : text_at(from, {"open_message_id"});
  ask.text = text_at(from, {"action", "value", "command"});
  if (ask.text.empty() || !is_id(ask.message_id)) return std::nullopt;
  if (!ask.chat_id.empty() && !is_id(ask.chat_id)) return std::nullopt;
  return ask;
}

}  // namespace rockdove::feishu_bot
