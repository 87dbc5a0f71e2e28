#include "ops/event_text.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "ops/json_path.hpp"
#include "ops/table.hpp"

#include <boost/json.hpp>

#include <map>

namespace rockdove::ops {
namespace {

namespace json = boost::json;

constexpr std::size_t excerpt_columns = 100;

/// One line of text; "" if there is none. Bytes that no JSON string can hold come as {"base64":…}.
std::string text(const json::value& from, std::initializer_list<std::string_view> path) {
  const json::value* value = find(from, path);
  if (!value || value->is_null()) return "";
  if (value->is_string()) return printable(value->get_string(), Lines::escape);
  if (!value->is_structured()) return json::serialize(*value);
  const std::string encoded = text(*value, {"base64"});
  return encoded.empty() ? "" : "(base64) " + encoded;
}

std::string or_dash(std::string found) {
  return found.empty() ? "-" : found;
}

std::optional<WallTime> time(const json::value& from, std::string_view key) {
  const json::value* value = find(from, {key});
  if (!value || !value->is_string()) return std::nullopt;
  const auto parsed = parse_rfc3339(value->get_string());
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::string local_time(const json::value& from, std::string_view key) {
  const auto found = time(from, key);
  return found ? format_local_time(*found) : "-";
}

std::string size(const json::value& from, std::initializer_list<std::string_view> path) {
  const json::value* value = find(from, path);
  return value && value->is_number() ? size_text(value->to_number<double>()) : "-";
}

/// When a waiting event is due.
std::string next(const json::value& event, WallTime now) {
  if (text(event, {"state"}) == "queued") return "in order";
  const auto due = time(event, "due_at");
  if (!due) return "-";
  if (*due <= now) return "now";
  return "in " + age_text(std::chrono::duration<double>(*due - now).count());
}

std::string request_line(const json::value& event) {
  return or_dash(text(event, {"method"})) + " " + or_dash(text(event, {"target"}));
}

void add_fact(std::string& out, std::string_view name, const std::string& fact) {
  if (!fact.empty() && fact != "-") out += padded(name, 12) + fact + "\n";
}

std::string facts(const json::value& event, const json::value& request, WallTime now) {
  std::string out = or_dash(text(event, {"id"})) + "  " + or_dash(text(event, {"state"})) + "\n";
  add_fact(out, "route", text(event, {"route"}));
  add_fact(out, "tunnel", text(event, {"tunnel"}));
  add_fact(out, "upstream", text(request, {"upstream"}));
  add_fact(out, "received", local_time(event, "received_at") + "  " + text(event, {"received_at"}));
  const std::string peer = text(request, {"peer"});
  const json::value* tls = find(request, {"tls"});
  add_fact(out, "caller", peer + (!peer.empty() && tls && *tls == true ? " (TLS)" : ""));
  add_fact(out, "request id", text(request, {"request_id"}));
  add_fact(out, "order key", text(event, {"order_key"}));
  add_fact(out, "attempts", text(event, {"attempts"}));
  add_fact(out, "next", next(event, now));
  const json::value* replay = find(event, {"replay"});
  add_fact(out, "replay", replay && *replay == true ? "yes" : "");
  add_fact(out, "reason", text(event, {"reason"}));
  return out;
}

std::string body_of(const json::value& request) {
  const json::value* body = find(request, {"body"});
  if (!body || body->is_null()) return "";
  const json::value* shown = find(*body, {"text"});
  const json::value* cut = find(*body, {"truncated"});
  const std::string all = size(*body, {"bytes"});
  if (!shown || !shown->is_string()) return "\n(" + all + " that are no text: --body prints them)\n";
  std::string out = "\n" + pretty_body(shown->get_string());
  if (!out.ends_with('\n')) out += '\n';
  if (cut && *cut == true) out += "(cut: it has " + all + "; --body prints all)\n";
  return out;
}

std::string request_text(const json::value& request) {
  std::string out = "\n" + request_line(request) + "\n";
  const json::value* fields = find(request, {"fields"});
  if (fields && fields->is_array())
    for (const json::value& field : fields->get_array()) {
      if (!field.is_array() || field.get_array().size() != 2) continue;
      out += text(field.get_array()[0], {}) + ": " + text(field.get_array()[1], {}) + "\n";
    }
  return out + body_of(request);
}

/// The beginning of an answer's body as one line.
std::string excerpt(const json::value& attempt) {
  const json::value* body = find(attempt, {"answer", "body", "text"});
  if (!body || !body->is_string()) {
    const bool is_binary = find(attempt, {"answer", "body", "base64"}) != nullptr;
    return is_binary ? "(" + size(attempt, {"answer", "body", "bytes"}) + " that are no text)" : "";
  }
  const std::string line = printable(body->get_string(), Lines::escape);
  return line.size() <= excerpt_columns ? line : std::string(utf8_prefix(line, excerpt_columns)) + "...";
}

std::string attempts_text(const json::value& detail) {
  const json::value* attempts = find(detail, {"attempts"});
  if (!attempts || !attempts->is_array() || attempts->get_array().empty()) return "\nNo attempt yet.\n";
  Table table({"ATTEMPT", "STARTED", "TOOK", "AGENT", "RESULT", "ANSWER"});
  for (const json::value& attempt : attempts->get_array()) {
    const std::string status = text(attempt, {"status"}), error = text(attempt, {"error"});
    const std::string both = status + (status.empty() || error.empty() ? "" : " ") + error;
    table.add({or_dash(text(attempt, {"number"})), local_time(attempt, "started_at"),
               or_dash(text(attempt, {"latency_ms"})) + " ms", or_dash(text(attempt, {"agent"})),
               or_dash(both), excerpt(attempt)});
  }
  return "\n" + table.str();
}

std::string tail_row(const std::string& id, const std::string& received, const std::string& route,
                     const std::string& state, const std::string& bytes, const std::string& request) {
  return padded(id, 17) + "  " + padded(received, 19) + "  " + padded(route, 16) + "  " + padded(state, 11) +
         "  " + padded(bytes, 9) + "  " + request + "\n";
}

/// Valid JSON with each member on a line of its own; its tokens stay as they are.
class Indenter {
 public:
  std::string run(std::string_view from) {
    for (std::size_t at = 0; at < from.size(); ++at) {
      const char c = from[at];
      if (in_string_) in_string(c);
      else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') outside(c);
    }
    return std::move(out_);
  }

 private:
  void in_string(char c) {
    out_ += c;
    in_string_ = escaped_ || c != '"';
    escaped_ = !escaped_ && c == '\\';
  }

  void outside(char c) {
    const bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
    if (closes) --depth_;
    if (after_open_ ? !closes : closes) new_line();  // {} and [] stay on one line
    after_open_ = opens;
    out_ += c;
    if (opens) ++depth_;
    if (c == ':') out_ += ' ';
    if (c == ',') new_line();
    in_string_ = c == '"';
  }

  void new_line() { out_ += "\n" + std::string(2 * depth_, ' '); }

  std::string out_;
  std::size_t depth_ = 0;
  bool in_string_ = false, escaped_ = false, after_open_ = false;
};

}  // namespace

std::string events_table(const json::array& events, WallTime now) {
  Table table({"ID", "RECEIVED", "ROUTE", "STATUS", "ATTEMPTS", "NEXT", "SIZE", "REQUEST"});
  for (const json::value& event : events)
    table.add({or_dash(text(event, {"id"})), local_time(event, "received_at"),
               or_dash(text(event, {"route"})), or_dash(text(event, {"state"})),
               or_dash(text(event, {"attempts"})), next(event, now), size(event, {"bytes"}),
               request_line(event)});
  return table.str();
}

std::string tail_head() {
  return tail_row("ID", "RECEIVED", "ROUTE", "STATUS", "SIZE", "REQUEST");
}

std::string tail_line(const json::value& event) {
  return tail_row(or_dash(text(event, {"id"})), local_time(event, "received_at"),
                  or_dash(text(event, {"route"})), or_dash(text(event, {"state"})), size(event, {"bytes"}),
                  request_line(event));
}

std::string event_text(const json::value& detail, WallTime now) {
  static const json::value none;
  const json::value* event = find(detail, {"event"});
  const json::value* request = find(detail, {"request"});
  const bool is_readable = request && request->is_object();
  std::string out = facts(event ? *event : none, is_readable ? *request : none, now);
  out += is_readable ? request_text(*request) : "\nIts request cannot be read back.\n";
  return out + attempts_text(detail);
}

std::string count_text(const json::array& events) {
  std::map<std::string, std::size_t> counts;
  for (const json::value& event : events) ++counts[or_dash(text(event, {"state"}))];
  std::string parts;
  for (const auto& [state, count] : counts)
    parts += (parts.empty() ? "" : ", ") + std::to_string(count) + " " + state;
  const std::string all = std::to_string(events.size()) + (events.size() == 1 ? " event" : " events");
  return parts.empty() ? all : all + " (" + parts + ")";
}

std::string pretty_body(std::string_view body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  const bool is_json = !error && value.is_structured();
  return printable(is_json ? Indenter().run(body) : std::string(body), Lines::keep);
}

}  // namespace rockdove::ops
