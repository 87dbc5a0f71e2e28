#include "config/secret_source.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <cstdlib>

namespace rockdove::config {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;  // a certificate has a few KiB

bool is_variable_name(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && std::ranges::all_of(text, is_allowed);
}

std::optional<SecretSource> parse_secret_source(std::string_view text) {
  constexpr std::string_view file = "file:", variable = "env:";
  if (text.starts_with(file) && text.size() > file.size())
    return SecretSource{SecretSource::From::file, std::string(text.substr(file.size())), false};
  if (text.starts_with(variable) && is_variable_name(text.substr(variable.size())))
    return SecretSource{SecretSource::From::environment, std::string(text.substr(variable.size())), false};
  return std::nullopt;
}

}  // namespace

std::vector<SecretSource> read_secret_sources(Section& section, std::string_view key, std::size_t most) {
  std::vector<std::string> texts;
  section.read(key, texts);
  if (texts.size() > most)
    section.fail(key, std::string(key) + ": at most " + std::to_string(most) + " values");
  std::vector<SecretSource> sources;
  for (const std::string& text : texts) {
    auto source = parse_secret_source(text);
    // What is written here may be the secret itself: not quoted.
    if (!source)
      section.fail(key, std::string(key) +
                            " must say where the secret is: \"file:PATH\" or \"env:NAME\"; the secret itself "
                            "does not belong here");
    sources.push_back(std::move(*source));
  }
  return sources;
}

std::optional<std::string> load_secret(const SecretSource& source) {
  std::string value;
  std::string name = source.place;
  if (source.from == SecretSource::From::environment) {
    const char* const set = std::getenv(source.place.c_str());
    if (set) value = set;
    if (!set && source.optional) return std::nullopt;
    if (!set) throw ConfigError("the environment has no " + source.place);
    name = source.place + " of the environment";
  } else {
    try {
      value = read_file(source.place);
    } catch (const std::runtime_error& error) { throw ConfigError(error.what()); }
  }
  while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
  if (value.empty()) throw ConfigError(name + " is empty");
  if (value.size() > secret_bytes_max) throw ConfigError(name + " is longer than 64 KiB: this is no secret");
  return value;
}

}  // namespace rockdove::config
