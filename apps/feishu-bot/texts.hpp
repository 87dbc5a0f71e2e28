// What the bot says: sentences, lists that fit into a message, and cards.
#pragma once

#include "feishu-bot/feishu_api.hpp"
#include "feishu-bot/lingxing_api.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rockdove::feishu_bot {

/// Feishu takes text messages of at most 150 KB, counted as the request's body.
inline constexpr std::size_t text_bytes_max = 150 * 1000 - 1000;
inline constexpr std::size_t list_lines_max = 100;  ///< more than that nobody reads

/// A text message. Cut to text_bytes_max; nothing in it is taken for a mention, whoever wrote it.
Message text_message(std::string_view text);

/// `head`, then the items, a line each: as many as fit, at most list_lines_max, then "…还有 N `unit`".
Message list_message(std::string_view head, const std::vector<std::string>& items, std::string_view unit);

Message sellers_message(const std::vector<Seller>& sellers);

/// A summary by shop and state; `days` is what was asked for, first to last the days it means.
Message orders_message(const Orders& orders, int days, std::string_view first, std::string_view last);

/// What a person is told when Lingxing cannot be asked.
Message failure_message(const Failure& failure);

/// For a word that is no command.
Message unknown_message(std::string_view word);

}  // namespace rockdove::feishu_bot
