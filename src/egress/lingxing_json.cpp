#include "egress/lingxing_json.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace rockdove::egress {
namespace {

namespace json = boost::json;

std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': result += "\\\""; break;
      case '\\': result += "\\\\"; break;
      case '\b': result += "\\b"; break;
      case '\f': result += "\\f"; break;
      case '\n': result += "\\n"; break;
      case '\r': result += "\\r"; break;
      case '\t': result += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) result += c;
        else result.append("\\u00").append({digits[c >> 4 & 15], digits[c & 15]});
    }
  }
  return result += '"';
}

/// Writes the document anew while it goes by. A tree would round numbers.
class Rewriter {
 public:
  // What Boost.JSON asks of a handler.
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_object_size = max_array_size;
  static constexpr std::size_t max_string_size = max_array_size;
  static constexpr std::size_t max_key_size = max_array_size;

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& error) { return open(false, error); }
  bool on_object_end(std::size_t, json::error_code& error) { return close_object(error); }
  bool on_array_begin(json::error_code& error) { return open(true, error); }
  bool on_array_end(std::size_t, json::error_code& error) { return close_array(error); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return gather(part); }
  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    gather(part);
    if (open_.size() == 1 && open_.front().members.size() >= lingxing_parameters_max) return refuse(error);
    open_.back().members.push_back({std::exchange(piece_, {}), {}, {}});
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return gather(part); }
  bool on_string(json::string_view part, std::size_t, json::error_code& error) {
    gather(part);
    std::string text = quoted(piece_);
    return add(std::move(text), std::exchange(piece_, {}), error);
  }
  bool on_number_part(json::string_view part, json::error_code&) { return gather(part); }
  bool on_int64(std::int64_t, json::string_view part, json::error_code& error) { return number(part, error); }
  bool on_uint64(std::uint64_t, json::string_view part, json::error_code& error) {
    return number(part, error);
  }
  bool on_double(double, json::string_view part, json::error_code& error) { return number(part, error); }
  bool on_bool(bool value, json::error_code& error) { return add_plain(value ? "true" : "false", error); }
  bool on_null(json::error_code& error) { return add_plain("null", error); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  LingxingBody& result() { return result_; }

 private:
  struct Member {
    std::string name;
    std::string text;       // as it stands in the document
    std::string as_signed;  // as it takes part in the sign
  };
  struct Container {
    bool is_array = false;
    std::string elements;         // of an array, with commas
    std::vector<Member> members;  // of an object; the last one may have no value yet
  };

  bool gather(std::string_view part) {
    piece_.append(part);
    return true;
  }

  bool number(std::string_view part, json::error_code& error) {
    gather(part);
    return add_plain(std::exchange(piece_, {}), error);
  }

  bool add_plain(std::string text, json::error_code& error) {
    std::string same = text;
    return add(std::move(text), std::move(same), error);
  }

  static bool refuse(json::error_code& error) {
    error = Error::malformed;
    return false;
  }

  /// A value is complete.
  bool add(std::string text, std::string as_signed, json::error_code& error) {
    if (open_.empty()) return refuse(error);  // the body is no object
    if (++values_ > lingxing_values_max) return refuse(error);
    Container& container = open_.back();
    if (container.is_array) {
      if (!container.elements.empty()) container.elements += ',';
      container.elements += text;
    } else {
      container.members.back().text = std::move(text);
      // Nobody signs what stands deeper: its text is a part of its container's.
      if (open_.size() == 1) container.members.back().as_signed = std::move(as_signed);
    }
    return true;
  }

  bool open(bool is_array, json::error_code& error) {
    if (++values_ > lingxing_values_max)
      return refuse(error);  // before it is complete: it takes room already
    open_.push_back({is_array, {}, {}});
    return true;
  }

  bool close_array(json::error_code& error) {
    std::string text = "[" + open_.back().elements + "]";
    open_.pop_back();
    return add_plain(std::move(text), error);
  }

  bool close_object(json::error_code& error) {
    std::vector<Member> members = std::move(open_.back().members);
    open_.pop_back();
    std::ranges::sort(members, {}, &Member::name);
    if (std::ranges::adjacent_find(members, {}, &Member::name) != members.end()) return refuse(error);
    std::string text = "{";
    for (const Member& member : members) {
      if (text.size() > 1) text += ',';
      text.append(quoted(member.name)).append(":").append(member.text);
    }
    text += '}';
    if (!open_.empty()) return add_plain(std::move(text), error);
    result_.text = std::move(text);
    for (Member& member : members)
      result_.parameters.push_back({std::move(member.name), std::move(member.as_signed)});
    return true;
  }

  std::vector<Container> open_;
  std::string piece_;       // of a string, key or number that comes in parts
  std::size_t values_ = 0;  // containers count twice
  LingxingBody result_;
};

}  // namespace

Result<LingxingBody> parse_lingxing_body(std::string_view body) {
  json::parse_options options;
  options.max_depth = lingxing_depth_max;
  json::basic_parser<Rewriter> parser(options);
  json::error_code error;
  const std::size_t used = parser.write_some(false, body.data(), body.size(), error);
  if (error || used != body.size()) return Error::malformed;
  return std::move(parser.handler().result());
}

}  // namespace rockdove::egress
