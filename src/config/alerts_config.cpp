#include "config/alerts_config.hpp"

#include "base/files.hpp"
#include "config/webhook_key.hpp"

#include <algorithm>
#include <set>

namespace rockdove::config {
namespace {

constexpr std::size_t targets_max = 16, per_hour_max = 1000;

std::optional<net::Url> parse_hook(std::string_view text) {
  const auto url = net::parse_url(text);
  if (!url || !url->scheme.starts_with("http") || url->port == 0) return std::nullopt;
  return *url;
}

/// An address, or where it is. Neither is quoted when it is wrong: it may be the secret.
void read_hook(Section& section, std::string_view key, AlertTarget& target) {
  std::string text;
  section.read(key, text);
  if (text.starts_with("file:") || text.starts_with("env:")) {
    target.url_source = read_secret_sources(section, key, 1).front();
    return;
  }
  if (!parse_hook(text))
    section.fail(key, std::string(key) +
                          " must be an address with https:// or http://, or say where it is: "
                          "\"file:PATH\" or \"env:NAME\"");
  target.url = text;
}

void read_events(Section& section, AlertTarget& target) {
  section.read("events", target.events);
  for (const std::string& event : target.events) {
    if (std::ranges::find(alert_events, event) != alert_events.end()) continue;
    std::string known;
    for (const std::string_view each : alert_events) known.append(known.empty() ? "" : ", ").append(each);
    section.fail("events", "events: there is no " + quote(event) + "; there are " + known);
  }
}

AlertTarget read_target(Section& section, std::size_t number) {
  AlertTarget target;
  const bool is_feishu = section.contains("feishu");
  if (is_feishu == section.contains("url"))
    section.fail("feishu", "needs one of feishu and url: a Feishu custom bot, or who else gets our JSON");
  target.form = is_feishu ? AlertTarget::Form::feishu : AlertTarget::Form::json;
  target.name = (is_feishu ? "feishu-" : "url-") + std::to_string(number);
  section.read_name("name", target.name);
  read_hook(section, is_feishu ? "feishu" : "url", target);
  const auto secrets = read_secret_sources(section, "secret", 1);
  if (!secrets.empty()) target.secret = secrets.front();
  std::string ca_file;
  section.read("ca_file", ca_file);
  if (!ca_file.empty() && !file_stamp(ca_file))
    section.fail("ca_file", "ca_file = " + quote(ca_file) + ": there is no such file");
  target.ca_file = ca_file;
  read_events(section, target);
  // Asked for so that they count as known, whichever of them is there.
  std::string other;
  section.read(is_feishu ? "url" : "feishu", other);
  section.finish();
  return target;
}

}  // namespace

AlertsConfig read_alerts(Section section) {
  constexpr std::array<std::string_view, 2> languages = {"en", "zh"};
  AlertsConfig config;
  section.read("agent_gone", config.agent_gone);
  section.read("each_agent", config.each_agent);
  section.read("backlog_age", config.backlog_age);
  if (config.backlog_age.count() == 0)
    section.fail("backlog_age", "backlog_age must not be 0: every event waits for a moment");
  section.read_size("disk_free", config.disk_free);
  section.read("certificate", config.certificate);
  section.read("repeat", config.repeat);
  section.read("settle", config.settle);
  section.read_count("rate", config.rate, 0, per_hour_max);
  if (const auto language = section.read_choice("language", languages))
    config.language = static_cast<AlertsConfig::Language>(*language);
  std::set<std::string> names;
  for (Section& each : section.sections("to")) {
    config.to.push_back(read_target(each, config.to.size() + 1));
    if (!names.insert(config.to.back().name).second)
      each.fail("name", "there is an [[alerts.to]] of this name already");
  }
  if (config.to.size() > targets_max)
    section.fail("to", "at most " + std::to_string(targets_max) + " tables [[alerts.to]]");
  section.finish();
  return config;
}

std::vector<AlertSecrets> load_alert_secrets(const AlertsConfig& config) {
  std::vector<AlertSecrets> all;
  for (const AlertTarget& target : config.to) {
    AlertSecrets secrets;
    try {
      const auto url = target.url_source ? load_secret(*target.url_source).value_or("") : target.url;
      const auto parsed = parse_hook(url);
      if (!parsed) throw ConfigError("what is to be its URL is not an address with https:// or http://");
      secrets.url = *parsed;
      if (target.secret && target.form == AlertTarget::Form::feishu)
        secrets.key = load_secret(*target.secret).value_or("");
      if (target.secret && target.form == AlertTarget::Form::json)
        secrets.key = load_webhook_key(*target.secret);
    } catch (const ConfigError& error) {
      throw ConfigError("[[alerts.to]] " + quote(target.name) + ": " + error.what());
    }
    all.push_back(std::move(secrets));
  }
  return all;
}

}  // namespace rockdove::config
