#include "doctor/report.hpp"

#include <fmt/core.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <ostream>

namespace rockdove::doctor {
namespace {

constexpr std::size_t check_width = 11;  // "certificate"
constexpr std::size_t indent = 6 + check_width + 1;

}  // namespace

Report::Report(Options options, std::ostream& out, std::ostream& progress)
    : options_(std::move(options)), out_(out), progress_(progress) {}

void Report::add(Id id, std::vector<std::string> values, std::optional<std::chrono::microseconds> took) {
  wipe();
  findings_.push_back({id, std::move(values), took});
  if (options_.json) return;
  const Finding& finding = findings_.back();
  const std::string figure = took ? " (" + in_milliseconds(*took) + ")" : "";
  out_ << fmt::format("{:<5} {:<{}} {}{}\n", state_name(finding.state()), id.row().check(), check_width,
                      text(finding, options_.language), figure);
  if (const auto what = advice(finding, options_.language); !what.empty())
    out_ << std::string(indent, ' ') << "-> " << what << "\n";
  out_.flush();
}

void Report::doing(Id id, std::vector<std::string> values) {
  if (!options_.is_terminal) return;
  wipe();
  progress_ << "... " << text({id, std::move(values), {}}, options_.language) << std::flush;
  is_dirty_ = true;
}

void Report::doing_long(Id id, std::vector<std::string> values) {
  if (options_.is_terminal) return doing(id, std::move(values));
  progress_ << "... " << text({id, std::move(values), {}}, options_.language) << std::endl;
}

void Report::wipe() {
  if (std::exchange(is_dirty_, false)) progress_ << "\r\033[K" << std::flush;
}

std::size_t Report::count(State state) const {
  return static_cast<std::size_t>(std::ranges::count(findings_, state, &Finding::state));
}

int Report::finish() {
  wipe();
  const std::size_t failed = count(State::fail);
  const Id id = failed != 0               ? Id("summary.fail")
                : count(State::warn) != 0 ? Id("summary.warn")
                                          : Id("summary.ok");
  const Finding last{
      id, {std::to_string(count(State::ok)), std::to_string(count(State::warn)), std::to_string(failed)}, {}};
  const std::string summary = text(last, options_.language);
  if (options_.json) write_json(summary);
  else out_ << "\n" << summary << "\n";
  return failed == 0 ? 0 : 1;
}

void Report::write_json(const std::string& summary) {
  boost::json::array list;
  for (const Finding& each : findings_) {
    boost::json::object one;
    one["check"] = each.id.row().check();
    one["finding"] = each.id.row().id;
    one["state"] = state_name(each.state());
    one["text"] = text(each, options_.language);
    one["advice"] = advice(each, options_.language);
    if (each.took) one["ms"] = std::round(static_cast<double>(each.took->count()) / 100) / 10;
    else one["ms"] = nullptr;
    list.push_back(std::move(one));
  }
  boost::json::object whole;
  whole["role"] = options_.role;
  whole["version"] = ROCKDOVE_VERSION;
  whole["findings"] = std::move(list);
  whole["summary"] = {{"ok", count(State::ok)},
                      {"warn", count(State::warn)},
                      {"fail", count(State::fail)},
                      {"text", summary}};
  out_ << boost::json::serialize(whole) << "\n";
}

}  // namespace rockdove::doctor
