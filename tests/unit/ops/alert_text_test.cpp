#include "ops/alert_text.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace rockdove::ops {
namespace {

using namespace std::chrono_literals;
using What = Notice::What;

TEST(AlertText, says_what_is_wrong_in_both_languages) {
  const struct {
    Condition condition;
    const char *en, *zh;
  } cases[] = {
      {{AlertKind::store, "", 0, "the disk is full"},
       "events cannot be stored: the disk is full",
       "事件无法落盘：the disk is full"},
      {{AlertKind::agent_gone, "bot"}, "tunnel bot: no agent is connected", "tunnel bot：没有 agent 在线"},
      {{AlertKind::agent_gone, "bot/pc-2/a"},
       "tunnel bot: agent pc-2/a is gone",
       "tunnel bot：agent pc-2/a 已离线"},
      {{AlertKind::agent_gone, "bot/pc", 1},
       "tunnel bot: agent pc is gone, and not waited for any longer",
       "tunnel bot：agent pc 已离线，不再等待"},
      {{AlertKind::backlog_age, "hook", 725},
       "route hook: events wait for their delivery, the oldest for 12m5s",
       "路由 hook：事件积压，最早的一条已等待 12m5s"},
      {{AlertKind::dead_letters, "hook", 1}, "route hook: 1 dead letter", "路由 hook：有 1 条死信"},
      {{AlertKind::dead_letters, "hook", 2}, "route hook: 2 dead letters", "路由 hook：有 2 条死信"},
      {{AlertKind::disk_free, "", 512 << 20},
       "the disk is nearly full: 512.0 MiB left for the data",
       "磁盘空间不足：数据目录只剩 512.0 MiB"},
      {{AlertKind::certificate, "ingress", 3},
       "the certificate of the ingress port ends in 3 days",
       "ingress 端口的证书将在 3 天后到期"},
      {{AlertKind::certificate, "ingress", 1},
       "the certificate of the ingress port ends in 1 day",
       "ingress 端口的证书将在 1 天后到期"},
      {{AlertKind::certificate, "tunnel", -1},
       "the certificate of the tunnel port has ended",
       "tunnel 端口的证书已过期"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(condition_text(each.condition, Language::en), each.en);
    EXPECT_EQ(condition_text(each.condition, Language::zh), each.zh);
  }
}

TEST(AlertText, tells_beginning_reminder_and_end_apart) {
  Notice notice{What::firing, {AlertKind::agent_gone, "bot"}, AlertTime(1'700'000'000s), {}};
  const std::string since = format_local_time(notice.since);
  EXPECT_EQ(notice_text(notice, Language::en), "ALERT: tunnel bot: no agent is connected, since " + since);
  EXPECT_EQ(notice_text(notice, Language::zh), "告警：tunnel bot：没有 agent 在线（始于 " + since + "）");
  notice.what = What::reminder;
  EXPECT_EQ(notice_text(notice, Language::en), "Still: tunnel bot: no agent is connected, since " + since);
  EXPECT_EQ(notice_text(notice, Language::zh), "仍未恢复：tunnel bot：没有 agent 在线（始于 " + since + "）");
  notice.what = What::resolved;
  notice.lasted = 3h + 12min + 5s;
  EXPECT_EQ(notice_text(notice, Language::en), "Over after 3h12m: tunnel bot: no agent is connected");
  EXPECT_EQ(notice_text(notice, Language::zh), "已恢复（持续 3h12m）：tunnel bot：没有 agent 在线");
}

TEST(AlertText, a_summary_is_no_longer_than_a_message_may_be) {
  std::vector<Notice> notices(1000,
                              {What::firing, {AlertKind::store, "", 0, std::string(5000, 'x')}, {}, {}});
  for (const Language language : {Language::en, Language::zh}) {
    const std::string text = summary_text(notices, 10, language);
    EXPECT_LT(text.size(), 20'000U) << "what a bot of Feishu takes";
    EXPECT_NE(text.find("1000"), text.npos);
    EXPECT_NE(text.find("980"), text.npos) << "how many are not written out";
  }
  notices.resize(1);
  EXPECT_EQ(summary_text(notices, 10, Language::en).find("others"), std::string::npos);
}

TEST(AlertText, what_comes_from_outside_stays_in_its_line) {
  const Condition condition{AlertKind::store, "a\nb", 0, "one\ntwo\x1b[0m"};
  for (const Language language : {Language::en, Language::zh}) {
    const std::string text = condition_text(condition, language);
    EXPECT_EQ(text.find('\n'), text.npos);
    EXPECT_EQ(text.find('\x1b'), text.npos);
  }
  const Condition cut{AlertKind::store, "", 0, std::string(499, 'x') + "é"};
  EXPECT_TRUE(is_utf8(condition_text(cut, Language::en)));
}

}  // namespace
}  // namespace rockdove::ops
