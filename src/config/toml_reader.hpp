// Reads TOML strictly: a mistake is an error that names the line, never a setting silently not applied.
#pragma once

#include "base/host_port.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rockdove::config {

/// A configuration that cannot be used. what() is one line, "file:line: what is wrong and what to do".
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Text from outside as it may stand in a message: in quotes, and cut to a bearable length.
std::string quote(std::string_view text);

/// One table of a document. Each reader leaves its target as it is when the key is absent, so that defaults
/// are the initialisers of the structs read into. Every key asked for becomes a known one; finish() refuses
/// the others. All throw ConfigError. Cheap to copy.
class Section {
 public:
  /// Parses `text`; `file` is what errors call it. Bad TOML is a ConfigError too.
  static Section parse(std::string_view text, const std::string& file);

  void read(std::string_view key, std::string& into);
  void read(std::string_view key, bool& into);
  /// A string such as "10s"; see parse_duration().
  void read(std::string_view key, std::chrono::milliseconds& into);
  /// A string or a list of strings.
  void read(std::string_view key, std::vector<std::string>& into);
  /// A string host:port; see parse_host_port().
  void read(std::string_view key, HostPort& into, std::optional<std::uint16_t> default_port = {});
  /// A whole number within [min, max].
  void read_count(std::string_view key, std::size_t& into, std::size_t min, std::size_t max);
  /// A string such as "64KiB" or a whole number of bytes; see parse_size().
  void read_size(std::string_view key, std::uint64_t& into);
  /// A string that is the name of one of `choices`; returns its index.
  std::optional<std::size_t> read_choice(std::string_view key, std::span<const std::string_view> choices);
  /// A name of a tunnel, route or upstream; see tunnel::valid_tunnel_name(). It may be empty.
  void read_name(std::string_view key, std::string& into);

  /// The table [key], or `key = { ... }`; an empty one if there is none.
  Section section(std::string_view key);
  /// The tables [[key]], in order.
  std::vector<Section> sections(std::string_view key);
  bool contains(std::string_view key) const;
  /// Those of the table, in the order of their bytes: where the file may choose them.
  std::vector<std::string> keys() const;
  /// First and last line of the key with its value.
  std::optional<std::pair<std::size_t, std::size_t>> lines(std::string_view key) const;
  /// The line the table starts at; 0 if there is no such table.
  std::size_t line() const;

  /// Refuses keys that nothing has asked for, naming the nearest one that exists. Call it once all are read.
  void finish() const;
  /// Throws ConfigError at the line of `key`, or of the table if the key is absent.
  [[noreturn]] void fail(std::string_view key, const std::string& message) const;

 private:
  struct State;
  explicit Section(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace rockdove::config
