// What a server tells people by itself when something is wrong, and whom: [alerts] and [[alerts.to]].
#pragma once

#include "config/secret_source.hpp"
#include "net/address.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::config {

/// What [[alerts.to]] may name in `events`.
inline constexpr std::array<std::string_view, 6> alert_events{"store",        "agent_gone", "backlog_age",
                                                              "dead_letters", "disk_free",  "certificate"};

/// One receiver of messages.
struct AlertTarget {
  enum class Form {
    feishu,  ///< a custom bot of a Feishu or Lark group
    json,    ///< any URL; docs/alerts.md says what it gets
  };
  std::string name{};  ///< in logs and answers, where the URL must not stand
  Form form = Form::feishu;
  std::string url{};  ///< as it stands in the file; empty: see `url_source`
  std::optional<SecretSource>
      url_source{};                      ///< whoever knows a hook's URL can write to it: it may be a secret
  std::optional<SecretSource> secret{};  ///< of the signature; none: unsigned
  std::filesystem::path ca_file{};       ///< in place of the system's authorities
  std::vector<std::string> events{};     ///< of alert_events; empty: all

  bool operator==(const AlertTarget&) const = default;
};

struct AlertsConfig {
  enum class Language { en, zh };
  std::chrono::milliseconds agent_gone{std::chrono::minutes(2)};
  bool each_agent = true;  ///< also of one agent that is gone while others of its tunnel are there
  std::chrono::milliseconds backlog_age{std::chrono::minutes(10)};  ///< never 0
  std::uint64_t disk_free = 0;  ///< bytes, also for /health; 0: 1 GiB, if that is less than 5 %
  std::chrono::milliseconds certificate{std::chrono::hours(14 * 24)};  ///< before its end; also for /health
  std::chrono::milliseconds repeat{std::chrono::hours(4)};             ///< between reminders; 0: none
  std::chrono::milliseconds settle{std::chrono::minutes(1)};
  std::size_t rate = 10;  ///< messages an hour to each target; 0: no limit
  Language language = Language::en;
  std::vector<AlertTarget> to{};

  bool operator==(const AlertsConfig&) const = default;
};

/// Throws ConfigError.
AlertsConfig read_alerts(Section section);

/// What a target needs of what is secret.
struct AlertSecrets {
  net::Url url{};     ///< http or https
  std::string key{};  ///< Feishu: the secret as it is; json: the decoded Standard Webhooks key; "": none

  bool operator==(const AlertSecrets&) const = default;
};

/// Reads them from where they are, for each target. Throws ConfigError that quotes none of them.
std::vector<AlertSecrets> load_alert_secrets(const AlertsConfig& config);

}  // namespace rockdove::config
