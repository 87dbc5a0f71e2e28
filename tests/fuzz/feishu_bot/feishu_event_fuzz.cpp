// Events as Feishu could send them, and as nobody should: what comes out of them can be sent on safely.
#include "feishu-bot/commands.hpp"
#include "feishu-bot/json.hpp"
#include "feishu-bot/messages.hpp"
#include "feishu-bot/texts.hpp"

#include <cstdlib>

namespace {

using namespace rockdove::feishu_bot;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const std::optional<Ask>& ask) {
  if (!ask) return;
  // Both become a part of a request's target or a key.
  for (const std::string* id : {&ask->chat_id, &ask->message_id})
    require(id->size() <= 128 && id->find_first_of("/? \r\n%") == id->npos);
  require(!ask->message_id.empty());
  const Command command = parse_command(ask->text);
  require(command.days >= 1 && command.days <= days_max);
  const Message answer = unknown_message(command.text);
  require(parse_json(answer.content).has_value() && answer.content.find('<') == answer.content.npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto event = parse_json(bytes)) {
    check(read_message(*event));
    check(read_card_action(*event));
  }
  // Words and amounts need no event around them.
  const Command command = parse_command(without_mentions(bytes));
  require(command.days >= 1 && command.days <= days_max);
  parse_amount(bytes);
  return 0;
}
