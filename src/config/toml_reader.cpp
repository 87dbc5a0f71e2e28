#include "config/toml_reader.hpp"

#include "base/units.hpp"
#include "tunnel/handshake.hpp"

#include <toml++/toml.h>

#include <algorithm>

namespace rockdove::config {
namespace {

/// Edits between two words, a swap of neighbours counting once (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      rows[i][j] =
          std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  return rows[a.size()][b.size()];
}

constexpr std::size_t message_max = 800;
constexpr std::size_t quote_max = 80;
constexpr std::size_t longest_word = 64;  // what is longer is no slip of the pen, and costs quadratic time

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  std::string list;
  const std::string* nearest = nullptr;
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    list += (list.empty() ? "" : ", ") + candidate;
    const auto edits = word.size() > longest_word ? best : distance(word, candidate);
    if (edits < best && edits < candidate.size()) best = edits, nearest = &candidate;
  }
  if (nearest) return "did you mean \"" + *nearest + "\"?";
  return "known here: " + list;
}

std::string_view kind(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return node.is_array_of_tables() ? "a list of tables" : "a list";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "true or false";
    default: return "a date or time";
  }
}

}  // namespace

std::string quote(std::string_view text) {
  return "\"" + std::string(text.substr(0, quote_max)) + (text.size() > quote_max ? "...\"" : "\"");
}

struct Section::State {
  std::shared_ptr<const toml::table> document;  // owns `table`
  const toml::table* table = nullptr;           // null: there is no such table
  std::string file;
  std::string name;  // "[server]", "[[route]]"; empty for the document itself
  std::vector<std::string> known;

  const toml::node* find(std::string_view key) {
    if (std::ranges::find(known, key) == known.end()) known.emplace_back(key);
    return table ? table->get(key) : nullptr;
  }

  [[noreturn]] void fail(std::size_t line, const std::string& message) const {
    std::string text = file + ":" + std::to_string(std::max<std::size_t>(line, 1)) + ": ";
    if (!name.empty()) text += name + " ";
    text += message.substr(0, message_max);
    // Messages quote what the file says, and end up in terminals and logs.
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    throw ConfigError(text);
  }

  /// "[[route]]" and "ack" make "route.ack".
  std::string path_to(std::string_view key) const {
    std::string path = name;
    std::erase_if(path, [](char c) { return c == '[' || c == ']'; });
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }

  [[noreturn]] void wrong_type(std::string_view key, const toml::node& node,
                               const std::string& wanted) const {
    fail(node.source().begin.line,
         std::string(key) + " must be " + wanted + ", not " + std::string(kind(node)));
  }

  /// The string called `key`, or null if there is none; `wanted` describes it in the error.
  const std::string* string(std::string_view key, const std::string& wanted) {
    const toml::node* node = find(key);
    if (!node) return nullptr;
    if (!node->is_string()) wrong_type(key, *node, wanted);
    return &node->as_string()->get();
  }
};

Section Section::parse(std::string_view text, const std::string& file) {
  auto state = std::make_shared<State>();
  state->file = file;
  try {
    state->document = std::make_shared<const toml::table>(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    state->fail(error.source().begin.line, "not valid TOML: " + std::string(error.description()));
  }
  state->table = state->document.get();
  return Section(std::move(state));
}

void Section::read(std::string_view key, std::string& into) {
  if (const auto* text = state_->string(key, "a string in quotes")) into = *text;
}

void Section::read(std::string_view key, bool& into) {
  const toml::node* node = state_->find(key);
  if (!node) return;
  if (!node->is_boolean()) state_->wrong_type(key, *node, "true or false, without quotes");
  into = node->as_boolean()->get();
}

void Section::read(std::string_view key, std::chrono::milliseconds& into) {
  const std::string wanted = "a duration in quotes, such as \"500ms\", \"10s\", \"5m\", \"1h\" or \"7d\"";
  const auto* text = state_->string(key, wanted);
  if (!text) return;
  const auto duration = parse_duration(*text);
  if (!duration) fail(key, std::string(key) + " = " + quote(*text) + ": must be " + wanted);
  into = *duration;
}

void Section::read(std::string_view key, std::vector<std::string>& into) {
  const toml::node* node = state_->find(key);
  if (!node) return;
  const std::string wanted = "a string or a list of strings";
  std::vector<std::string> list;
  if (node->is_string()) {
    list.push_back(node->as_string()->get());
  } else if (const auto* array = node->as_array()) {
    for (const toml::node& element : *array) {
      if (!element.is_string()) state_->wrong_type(key, element, wanted);
      list.push_back(element.as_string()->get());
    }
  } else {
    state_->wrong_type(key, *node, wanted);
  }
  into = std::move(list);
}

void Section::read(std::string_view key, HostPort& into, std::optional<std::uint16_t> default_port) {
  const std::string wanted = "\"address:port\", such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
  const auto* text = state_->string(key, wanted);
  if (!text) return;
  const auto address = parse_host_port(*text, default_port);
  if (!address) fail(key, std::string(key) + " = " + quote(*text) + ": must be " + wanted);
  into = *address;
}

void Section::read_count(std::string_view key, std::size_t& into, std::size_t min, std::size_t max) {
  const toml::node* node = state_->find(key);
  if (!node) return;
  const auto wanted = "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (!node->is_integer()) state_->wrong_type(key, *node, wanted);
  const std::int64_t value = node->as_integer()->get();
  if (value < 0 || static_cast<std::uint64_t>(value) < min || static_cast<std::uint64_t>(value) > max)
    fail(key, std::string(key) + " = " + std::to_string(value) + ": must be " + wanted);
  into = static_cast<std::size_t>(value);
}

void Section::read_size(std::string_view key, std::uint64_t& into) {
  const toml::node* node = state_->find(key);
  if (!node) return;
  const std::string wanted = "a size in quotes, such as \"64KiB\" or \"10MiB\", or a whole number of bytes";
  if (const auto* number = node->as_integer(); number && number->get() >= 0) {
    into = static_cast<std::uint64_t>(number->get());
  } else if (const auto* text = node->as_string()) {
    const auto size = parse_size(text->get());
    if (!size) fail(key, std::string(key) + " = " + quote(text->get()) + ": must be " + wanted);
    into = *size;
  } else {
    state_->wrong_type(key, *node, wanted);
  }
}

std::optional<std::size_t> Section::read_choice(std::string_view key,
                                                std::span<const std::string_view> choices) {
  std::string wanted;
  for (const auto choice : choices) wanted += (wanted.empty() ? "\"" : ", \"") + std::string(choice) + "\"";
  const auto* text = state_->string(key, "one of " + wanted);
  if (!text) return std::nullopt;
  const auto found = std::ranges::find(choices, *text);
  if (found == choices.end())
    fail(key, std::string(key) + " = " + quote(*text) + ": must be one of " + wanted);
  return static_cast<std::size_t>(found - choices.begin());
}

void Section::read_name(std::string_view key, std::string& into) {
  const auto* text = state_->string(key, "a name in quotes");
  if (!text) return;
  if (!text->empty() && !tunnel::valid_tunnel_name(*text))
    fail(key, std::string(key) + " = " + quote(*text) + ": a name is 1 to 63 lower-case letters, digits, " +
                  "'.', '_' or '-', the first a letter or digit");
  into = *text;
}

Section Section::section(std::string_view key) {
  const toml::node* node = state_->find(key);
  const bool is_nested = !state_->name.empty();
  const std::string name = "[" + state_->path_to(key) + "]";
  if (node && !node->is_table())
    state_->wrong_type(key, *node, is_nested ? "a table, { key = value, ... }" : "a table, written " + name);
  auto child = std::make_shared<State>();
  child->document = state_->document;
  child->table = node ? node->as_table() : nullptr;
  child->file = state_->file;
  child->name = name;
  return Section(std::move(child));
}

std::vector<Section> Section::sections(std::string_view key) {
  std::vector<Section> result;
  const toml::node* node = state_->find(key);
  if (!node) return result;
  const std::string name = "[[" + state_->path_to(key) + "]]";
  if (!node->is_array_of_tables()) state_->wrong_type(key, *node, "a list of tables, each written " + name);
  for (const toml::node& element : *node->as_array()) {
    auto child = std::make_shared<State>();
    child->document = state_->document;
    child->table = element.as_table();
    child->file = state_->file;
    child->name = name;
    result.push_back(Section(std::move(child)));
  }
  return result;
}

bool Section::contains(std::string_view key) const {
  return state_->table && state_->table->contains(key);
}

std::vector<std::string> Section::keys() const {
  std::vector<std::string> keys;
  if (!state_->table) return keys;
  for (const auto& [key, node] : *state_->table) keys.emplace_back(key.str());
  std::ranges::sort(keys);
  return keys;
}

std::optional<std::pair<std::size_t, std::size_t>> Section::lines(std::string_view key) const {
  const toml::node* node = state_->table ? state_->table->get(key) : nullptr;
  if (!node) return std::nullopt;
  return std::pair<std::size_t, std::size_t>(node->source().begin.line, node->source().end.line);
}

std::size_t Section::line() const {
  return state_->table ? state_->table->source().begin.line : 0;
}

void Section::finish() const {
  if (!state_->table) return;
  for (const auto& [key, node] : *state_->table) {
    if (std::ranges::find(state_->known, key.str()) != state_->known.end()) continue;
    const auto what = node.is_table() ? "unknown table " : "unknown key ";
    state_->fail(key.source().begin.line,
                 what + quote(key.str()) + "; " + suggestion(key.str(), state_->known));
  }
}

void Section::fail(std::string_view key, const std::string& message) const {
  const auto found = lines(key);
  state_->fail(found ? found->first : line(), message);
}

}  // namespace rockdove::config
