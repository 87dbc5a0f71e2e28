#include "config/join_writer.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rockdove::config {
namespace {

using Line = std::string;

/// A new agent.toml; with_server() fills the table in.
constexpr std::string_view fresh_file =
    "# Configuration of a rockdove agent. `rockdove join -` rewrites the keys of [server] and nothing else.\n"
    "# `rockdove config check` says whether an edit is right.\n"
    "\n"
    "# The server and the tunnel to serve. The secret lets whoever has it serve this tunnel: keep it "
    "private.\n"
    "[server]\n"
    "\n"
    "# The local HTTP service that gets the requests.\n"
    "[[upstream]]\n"
    "url = \"http://127.0.0.1:5000\"\n";

std::vector<Line> split(std::string_view text) {
  std::vector<Line> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// All values here are of kinds that need no escape in a TOML string: see JoinInfo.
std::string toml_string(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string address_value(const std::vector<HostPort>& addresses) {
  std::string list;
  for (const HostPort& address : addresses)
    list += (list.empty() ? "" : ", ") + toml_string(to_string(address));
  return addresses.size() == 1 ? list : "[" + list + "]";
}

/// Keys and their new values, in the order a new table has them; an empty value takes the key out.
std::vector<std::pair<std::string_view, std::string>> settings(const ServerLink& server) {
  constexpr std::array<std::string_view, 3> modes = {"pin", "ca", "off"};
  return {{"address", address_value(server.address)},
          {"tunnel", toml_string(server.tunnel)},
          {"secret", toml_string(server.secret)},
          {"secret_file", ""},  // of an earlier token
          {"tls", toml_string(modes[static_cast<std::size_t>(server.tls)])},
          {"pin", server.pin.empty() ? "" : toml_string(server.pin)}};
}

/// True for "[server]" with white space and a comment allowed around.
bool is_header(std::string_view line) {
  std::string compact;
  for (const char c : line.substr(0, std::min(line.find('#'), line.size())))
    if (c != ' ' && c != '\t' && c != '\r') compact += c;
  return compact == "[server]";
}

std::string join(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) text += line + "\n";
  return text;
}

}  // namespace

std::string with_server(std::string_view text, const ServerLink& server, const std::string& file) {
  std::vector<Line> lines = split(text.empty() ? fresh_file : text);
  Section document = Section::parse(join(lines), file);
  if (!document.contains("server")) lines.insert(lines.end(), {"", "[server]"});
  document = Section::parse(join(lines), file);
  Section table = document.section("server");
  if (table.line() == 0 || table.line() > lines.size() || !is_header(lines[table.line() - 1]))
    table.fail("", "is not written as a table that begins with a line [server]; write it so, or take it out");
  const std::size_t header = table.line() - 1;

  // New lines are collected first: line numbers hold until the first change. A line moved out is emptied
  // here and removed at the end.
  std::vector<std::size_t> gone;
  std::vector<Line> added;
  for (const auto& [key, value] : settings(server)) {
    const auto place = table.lines(key);
    const Line line = std::string(key) + " = " + value;
    if (!place && !value.empty()) added.push_back(line);
    if (!place) continue;
    for (std::size_t i = place->first; i <= place->second; ++i) gone.push_back(i - 1);
    if (value.empty()) continue;
    lines[place->first - 1] = line;
    std::erase(gone, place->first - 1);
  }
  std::ranges::sort(gone, std::greater<>());
  for (const std::size_t index : gone) lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(index));
  // Only lines after the header have gone, so that it is still where it was.
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(header) + 1, added.begin(), added.end());

  std::string result = join(lines);
  ServerLink expected = server;
  expected.ca_file.clear();
  ServerLink written = parse_agent_config(result, file).server;
  written.ca_file.clear();  // the user's own
  if (written != expected) table.fail("", "could not be changed in place; take the table out and join again");
  return result;
}

void write_server(const std::filesystem::path& path, const ServerLink& server) {
  const std::string before = std::filesystem::exists(path) ? read_file(path) : "";
  const std::string after = with_server(before, server, path.string());
  make_private_directory(path.parent_path());
  write_private_file(path, after);
}

}  // namespace rockdove::config
