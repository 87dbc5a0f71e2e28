#include "feishu-bot/cards.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace rockdove::feishu_bot {
namespace {

using boost::json::array;
using boost::json::object;

object text(std::string_view tag, std::string_view content) {
  return {{"tag", tag}, {"content", content}};
}

/// Pressing it asks for `command`, as if somebody had typed it.
object button(std::string_view label, std::string_view type, std::string_view command) {
  return {{"tag", "button"},
          {"text", text("plain_text", label)},
          {"type", type},
          {"value", object{{"command", command}}}};
}

constexpr std::string_view guide =
    "**店铺**　列出领星里的亚马逊店铺\n"
    "**订单**　最近 1 天的订单，按店铺和状态汇总\n"
    "**订单 7**　最近 7 天的订单，最多 31 天\n"
    "**帮助**　再看一次这张卡片\n\n"
    "在群里请先 @我。";

}  // namespace

Message help_card() {
  const object card{
      {"config", object{{"wide_screen_mode", true}}},
      {"header", object{{"template", "blue"}, {"title", text("plain_text", "我会做这些事")}}},
      {"elements", array{object{{"tag", "div"}, {"text", text("lark_md", guide)}},
                         object{{"tag", "action"},
                                {"actions", array{button("店铺", "primary", "店铺"),
                                                  button("今天的订单", "default", "订单"),
                                                  button("最近 7 天", "default", "订单 7")}}}}}};
  return {"interactive", boost::json::serialize(card)};
}

std::string toast(std::string_view type, std::string_view content) {
  return boost::json::serialize(object{{"toast", object{{"type", type}, {"content", content}}}});
}

}  // namespace rockdove::feishu_bot
