#include "inbox/keys.hpp"

#include "net/crypto.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <limits>

namespace rockdove::inbox {
namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 32;

/// The reference tokens of a pointer (RFC 6901 section 4), unescaped.
std::vector<std::string> tokens_of(std::string_view pointer) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') tokens.emplace_back();
    else if (pointer[i] != '~') tokens.back() += pointer[i];
    else tokens.back() += pointer[++i] == '0' ? '~' : '/';
  }
  return tokens;
}

/// Looks for one place while the document goes by: no tree is built of a foreign document, and numbers keep
/// all their digits.
class PlaceFinder {
 public:
  // What Boost.JSON asks of a handler.
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_object_size = max_array_size;
  static constexpr std::size_t max_string_size = max_array_size;
  static constexpr std::size_t max_key_size = max_array_size;

  explicit PlaceFinder(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return open(false); }
  bool on_object_end(std::size_t, json::error_code&) { return close(); }
  bool on_array_begin(json::error_code&) { return open(true); }
  bool on_array_end(std::size_t, json::error_code&) { return close(); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return add_key(part, false); }
  bool on_key(json::string_view part, std::size_t, json::error_code&) { return add_key(part, true); }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return add(part, false); }
  bool on_string(json::string_view part, std::size_t, json::error_code&) { return add(part, true); }
  bool on_number_part(json::string_view part, json::error_code&) { return add(part, false); }
  bool on_int64(std::int64_t, json::string_view part, json::error_code&) { return add(part, true); }
  bool on_uint64(std::uint64_t, json::string_view part, json::error_code&) { return add(part, true); }
  bool on_double(double, json::string_view part, json::error_code&) { return add(part, true); }
  bool on_bool(bool, json::error_code&) { return pass(); }
  bool on_null(json::error_code&) { return pass(); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  std::optional<std::string>& found() { return found_; }

 private:
  struct Container {
    bool is_array = false;
    std::size_t next = 0;  // of an array: the index of its next element
  };

  /// True if all that is open lies on the way to the place.
  bool is_on_way() const { return way_.size() == depth_; }

  /// A value begins: does it lie on the way, or at its end?
  bool is_reached() {
    if (depth_ == 0) return true;
    if (!is_on_way()) return false;
    Container& container = way_.back();
    if (container.is_array) return tokens_[depth_ - 1] == std::to_string(container.next++);
    return key_matches_;
  }

  bool open(bool is_array) {
    if (is_reached() && depth_ < tokens_.size()) way_.push_back({is_array, 0});
    ++depth_;
    return true;
  }

  bool close() {
    if (is_on_way() && !way_.empty()) way_.pop_back();
    --depth_;
    return true;
  }

  bool add_key(std::string_view part, bool is_last) {
    if (!is_on_way()) return true;
    key_.append(part);
    if (!is_last) return true;
    key_matches_ = key_ == tokens_[depth_ - 1];
    key_.clear();
    // What an earlier member of the same name has brought does not count.
    if (key_matches_) found_.reset();
    return true;
  }

  /// A piece of a string or number.
  bool add(std::string_view part, bool is_last) {
    if (!in_scalar_) {
      in_scalar_ = true;
      is_wanted_ = is_reached() && depth_ == tokens_.size();
      if (is_wanted_) found_.emplace();
    }
    if (is_wanted_) found_->append(part);
    if (is_last) in_scalar_ = false;
    return true;
  }

  bool pass() {
    is_reached();  // counts the elements of an array
    return true;
  }

  const std::vector<std::string> tokens_;
  std::vector<Container> way_;  // the open containers on the way, from the outermost on
  std::size_t depth_ = 0;       // of all open containers
  std::string key_;
  bool key_matches_ = false;
  bool in_scalar_ = false, is_wanted_ = false;
  std::optional<std::string> found_;
};

std::optional<std::string> find_in_json(std::string_view pointer, std::string_view body) {
  if (!is_json_pointer(pointer)) return std::nullopt;
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<PlaceFinder> parser(options, tokens_of(pointer));
  json::error_code error;
  const std::size_t used = parser.write_some(false, body.data(), body.size(), error);
  if (error || used != body.size()) return std::nullopt;
  return std::move(parser.handler().found());
}

/// Two apps of one provider may count their events alike.
std::string full_id(const EventFacts& facts) {
  return facts.id.empty() || facts.app.empty() ? facts.id : facts.app + "\n" + facts.id;
}

std::optional<std::string> find_text(const KeyRule& rule, const http::Fields& fields, std::string_view body,
                                     const EventFacts& facts) {
  switch (rule.from) {
    case KeyRule::From::header: {
      const auto value = fields.get(rule.name);
      return value ? std::optional<std::string>(*value) : std::nullopt;
    }
    case KeyRule::From::json: return find_in_json(rule.name, body);
    case KeyRule::From::id: return full_id(facts);
    case KeyRule::From::type: return facts.type;
    case KeyRule::From::app: return facts.app;
    case KeyRule::From::chat: return facts.chat;
    case KeyRule::From::body: break;
  }
  return body.empty() ? std::string() : net::hex(net::sha256(body));
}

/// Differs between any two rules, and has no line break before its end: names have no control bytes.
std::string mark_of(const KeyRule& rule) {
  switch (rule.from) {
    case KeyRule::From::header: {
      std::string name = rule.name;
      std::ranges::transform(name, name.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      return "header:" + name + "\n";
    }
    case KeyRule::From::json: return "json:" + rule.name + "\n";
    case KeyRule::From::id: return "id\n";
    case KeyRule::From::type: return "type\n";
    case KeyRule::From::app: return "app\n";
    case KeyRule::From::chat: return "chat\n";
    case KeyRule::From::body: break;
  }
  return "body\n";
}

}  // namespace

std::optional<std::string> find_key(const KeyRule& rule, const http::Fields& fields, std::string_view body,
                                    const EventFacts& facts) {
  auto text = find_text(rule, fields, body, facts);
  if (!text || text->empty()) return std::nullopt;
  // Keys are kept and compared by the store: a caller must not make them megabytes long.
  if (text->size() > key_bytes_max) return "sha256:" + net::hex(net::sha256(*text));
  return text;
}

std::string dedupe_key(const std::vector<KeyRule>& rules, const http::Fields& fields, std::string_view body,
                       const EventFacts& facts) {
  for (const KeyRule& rule : rules)
    if (const auto key = find_key(rule, fields, body, facts)) return mark_of(rule) + *key;
  return {};
}

bool is_json_pointer(std::string_view text) noexcept {
  if (!text.empty() && text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') continue;
    if (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')) return false;
  }
  return true;
}

}  // namespace rockdove::inbox
