#include "ops/condition.hpp"

namespace rockdove::ops {

std::string_view alert_kind_name(AlertKind kind) noexcept {
  switch (kind) {
    case AlertKind::store: return "store";
    case AlertKind::agent_gone: return "agent_gone";
    case AlertKind::backlog_age: return "backlog_age";
    case AlertKind::dead_letters: return "dead_letters";
    case AlertKind::disk_free: return "disk_free";
    case AlertKind::certificate: return "certificate";
  }
  return "";
}

std::optional<AlertKind> alert_kind_named(std::string_view name) noexcept {
  for (const AlertKind kind : alert_kinds)
    if (alert_kind_name(kind) == name) return kind;
  return std::nullopt;
}

}  // namespace rockdove::ops
