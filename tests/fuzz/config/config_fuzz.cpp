// Any text as a configuration: read, or refused with an error that names the line. What can be read can be
// joined: the [server] table is set, and setting it again changes nothing.
#include "config/join_writer.hpp"
#include "config/server_config.hpp"

#include <cstdlib>

using namespace rockdove;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

/// Runs `action`; true if it took the text.
template <class Action>
bool accepts(Action action) {
  try {
    action();
    return true;
  } catch (const config::ConfigError& error) {
    const std::string_view what = error.what();
    require(what.starts_with("x.toml:") && what.size() < 1000);
    require(what.find('\n') == what.npos);
    const auto line = what.substr(7, what.find(':', 7) - 7);
    require(!line.empty() && line.find_first_not_of("0123456789") == line.npos && line != "0");
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find("/dev/") != text.npos || text.find("/proc/") != text.npos) return 0;  // files that never end
  accepts([&] { require(!config::parse_server_config(text, "x.toml").routes.empty()); });
  if (!accepts([&] { require(!config::parse_agent_config(text, "x.toml").upstreams.empty()); })) return 0;

  config::ServerLink link;
  link.address = {{"example.com", 8081}};
  link.tunnel = "bot";
  link.secret = "rd_0123abcd_AAAA";
  link.pin = std::string(43, 'A');
  std::string joined;
  if (!accepts([&] { joined = config::with_server(text, link, "x.toml"); })) return 0;
  require(config::parse_agent_config(joined, "x.toml").server.secret == link.secret);
  require(config::with_server(joined, link, "x.toml") == joined);
  return 0;
}
