#include "ops/alert_text.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "ops/table.hpp"

#include <algorithm>

namespace rockdove::ops {
namespace {

constexpr std::size_t lines_max = 20, detail_bytes_max = 500;

std::string counted(std::int64_t count, const char* one, const char* many) {
  return std::to_string(count) + (count == 1 ? one : many);
}

struct AgentOf {
  std::string tunnel, agent;  // agent: empty if it is about the tunnel
};

AgentOf agent_of(const std::string& subject) {
  const std::size_t slash = subject.find('/');
  if (slash == std::string::npos) return {subject, ""};
  return {subject.substr(0, slash), subject.substr(slash + 1)};
}

std::string english_gone(const Condition& condition, const std::string& subject) {
  const auto [tunnel, agent] = agent_of(subject);
  if (agent.empty()) return "tunnel " + tunnel + ": no agent is connected";
  return "tunnel " + tunnel + ": agent " + agent +
         (condition.amount == 0 ? " is gone" : " is gone, and not waited for any longer");
}

std::string chinese_gone(const Condition& condition, const std::string& subject) {
  const auto [tunnel, agent] = agent_of(subject);
  if (agent.empty()) return "tunnel " + tunnel + "：没有 agent 在线";
  return "tunnel " + tunnel + "：agent " + agent + (condition.amount == 0 ? " 已离线" : " 已离线，不再等待");
}

std::string english(const Condition& condition, const std::string& subject) {
  const double amount = static_cast<double>(condition.amount);
  switch (condition.kind) {
    case AlertKind::store: return "events cannot be stored";
    case AlertKind::agent_gone: return english_gone(condition, subject);
    case AlertKind::backlog_age:
      return "route " + subject + ": events wait for their delivery, the oldest for " + age_text(amount);
    case AlertKind::dead_letters:
      return "route " + subject + ": " + counted(condition.amount, " dead letter", " dead letters");
    case AlertKind::disk_free: return "the disk is nearly full: " + size_text(amount) + " left for the data";
    case AlertKind::certificate:
      return "the certificate of the " + subject + " port " +
             (condition.amount < 0 ? "has ended" : "ends in " + counted(condition.amount, " day", " days"));
  }
  return "";
}

std::string chinese(const Condition& condition, const std::string& subject) {
  const double amount = static_cast<double>(condition.amount);
  switch (condition.kind) {
    case AlertKind::store: return "事件无法落盘";
    case AlertKind::agent_gone: return chinese_gone(condition, subject);
    case AlertKind::backlog_age:
      return "路由 " + subject + "：事件积压，最早的一条已等待 " + age_text(amount);
    case AlertKind::dead_letters:
      return "路由 " + subject + "：有 " + std::to_string(condition.amount) + " 条死信";
    case AlertKind::disk_free: return "磁盘空间不足：数据目录只剩 " + size_text(amount);
    case AlertKind::certificate:
      return subject + " 端口的证书" +
             (condition.amount < 0 ? "已过期" : "将在 " + std::to_string(condition.amount) + " 天后到期");
  }
  return "";
}

}  // namespace

std::string condition_text(const Condition& condition, Language language) {
  const std::string subject = printable(condition.subject, Lines::escape);
  std::string text = language == Language::en ? english(condition, subject) : chinese(condition, subject);
  if (condition.detail.empty()) return text;
  const std::string detail = printable(condition.detail, Lines::escape);
  return text.append(language == Language::en ? ": " : "：").append(utf8_prefix(detail, detail_bytes_max));
}

std::string notice_text(const Notice& notice, Language language) {
  const std::string what = condition_text(notice.condition, language);
  const std::string since = format_local_time(notice.since);
  if (notice.what == Notice::What::resolved) {
    const std::string span = age_text(std::chrono::duration<double>(notice.lasted).count());
    return language == Language::en ? "Over after " + span + ": " + what
                                    : "已恢复（持续 " + span + "）：" + what;
  }
  const bool is_first = notice.what == Notice::What::firing;
  if (language == Language::en) return (is_first ? "ALERT: " : "Still: ") + what + ", since " + since;
  return (is_first ? "告警：" : "仍未恢复：") + what + "（始于 " + since + "）";
}

std::string summary_text(std::span<const Notice> notices, std::size_t per_hour, Language language) {
  const std::string count = std::to_string(notices.size()), limit = std::to_string(per_hour);
  std::string text =
      language == Language::en
          ? count + " more, as one message: the limit of " + limit +
                " an hour is reached, what comes next waits until there is room"
          : "另有 " + count + " 条合并为一条：已达每小时 " + limit + " 条的上限，后续消息稍后汇总";
  for (const Notice& notice : notices.first(std::min(notices.size(), lines_max)))
    text += "\n- " + notice_text(notice, language);
  if (notices.size() <= lines_max) return text;
  const std::string others = std::to_string(notices.size() - lines_max);
  return text +
         (language == Language::en ? "\n- and " + others + " others" : "\n- 以及其他 " + others + " 条");
}

std::string test_text(Language language) {
  return language == Language::en ? "This is a test: alerts of this server arrive here"
                                  : "这是一条测试消息：本服务器的告警会发到这里";
}

}  // namespace rockdove::ops
