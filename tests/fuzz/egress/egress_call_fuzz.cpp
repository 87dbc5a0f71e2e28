// What a call asks for, whoever sends it, is read as one of three forms whose parts can stand in a request,
// or refused; and patterns and credentials keep what they say. The first line is the method, the rest the
// text.
#include "egress/basic_auth.hpp"
#include "egress/host_pattern.hpp"
#include "egress/target.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace rockdove::egress;

void check(bool holds) {
  if (!holds) std::abort();
}

void judge_target(std::string_view method, std::string_view text) {
  const auto target = parse_target(method, text);
  if (!target) return;
  const bool is_connect = method == "CONNECT";
  check(is_connect == (target->form == Target::Form::connect));
  check(target->name.empty() == (target->form != Target::Form::named));
  if (target->form == Target::Form::named) {
    check(target->address.host.empty() && text.starts_with("/" + target->name));
  } else {
    check(!target->address.host.empty() && target->address.port != 0);
    check(canonical_host(target->address.host) == target->address.host);
    // Whoever allows exactly this host and port allows this call.
    const auto same = HostPattern::parse(rockdove::to_string(target->address));
    check(!same || same->matches(target->address));
  }
  if (!is_connect)
    check(target->path.starts_with('/') && without_query(target->path).find('?') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const auto line = std::min(input.find('\n'), input.size());
  const std::string_view method = input.substr(0, line);
  const std::string_view text = input.substr(std::min(line + 1, input.size()));
  judge_target(method, text);
  (void)parse_basic(text);
  if (const auto pattern = HostPattern::parse(text)) check(HostPattern::parse(text).value() == *pattern);
  return 0;
}
