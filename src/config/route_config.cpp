#include "config/route_config.hpp"

#include "config/provider_config.hpp"
#include "http/parser.hpp"
#include "inbox/keys.hpp"

#include <algorithm>
#include <array>

namespace rockdove::config {
namespace {

using inbox::KeyRule;
using inbox::Mode;
using std::chrono::milliseconds;

constexpr milliseconds automatic_deadline{2'500};
constexpr milliseconds deadline_max = std::chrono::minutes(5);
constexpr milliseconds dedupe_window_min = std::chrono::minutes(1);
constexpr std::size_t concurrency_max = 10'000;
constexpr std::uint64_t body_limit_min = 1024, body_limit_max = 1024ULL * 1024 * 1024;
constexpr std::array<std::string_view, 8> event_keys{"ack",         "dedupe", "dedupe_window", "order",
                                                     "concurrency", "retry",  "success_if",    "body_limit"};

void read_host(Section& section, RouteConfig& route) {
  section.read("host", route.host);
  std::ranges::transform(route.host, route.host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string_view name = std::string_view(route.host).substr(route.host.starts_with("*.") ? 2 : 0);
  const auto parsed = parse_host_port(name.starts_with('[') ? name : std::string(name) + ":1");
  if (!route.host.empty() && !parsed)
    section.fail("host", "host = " + quote(route.host) + ": write a name without port (\"example.com\"), " +
                             "\"*.example.com\" for every name below it, or \"\" for every host");
}

/// status, type and body of an answer of our own.
inbox::CannedAnswer read_answer(Section answer, inbox::CannedAnswer config = {}) {
  auto status = static_cast<std::size_t>(config.status);
  answer.read_count("status", status, 200, 599);
  config.status = static_cast<int>(status);
  answer.read("type", config.type);
  if (!http::is_field_value(config.type))
    answer.fail("type", "type = " + quote(config.type) + ": must be a media type, such as \"text/plain\"");
  answer.read("body", config.body);
  answer.finish();
  return config;
}

std::optional<KeyRule> parse_key_rule(std::string_view text) {
  constexpr std::string_view header = "header:", json = "json:";
  const bool is_printable =
      std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (text.starts_with(header) && http::is_token(text.substr(header.size())))
    return KeyRule{KeyRule::From::header, std::string(text.substr(header.size()))};
  const std::string_view pointer = text.starts_with(json) ? text.substr(json.size()) : "";
  if (!pointer.empty() && inbox::is_json_pointer(pointer) && is_printable)
    return KeyRule{KeyRule::From::json, std::string(pointer)};
  return std::nullopt;
}

/// What only a provider can say.
KeyRule provider_rule(Section& section, std::string_view key, KeyRule::From from, bool has_provider) {
  if (!has_provider)
    section.fail(key, std::string(key) + ": this needs the route's provider, which says where it stands");
  return KeyRule{from, ""};
}

void read_dedupe(Section& section, bool has_provider, inbox::RouteOptions& options) {
  std::vector<std::string> rules;
  section.read("dedupe", rules);
  if (section.contains("dedupe")) options.dedupe.clear();
  else if (has_provider && options.mode != Mode::live) options.dedupe = {KeyRule{KeyRule::From::id, ""}};
  if (rules != std::vector<std::string>{"none"}) {
    for (const std::string& rule : rules) {
      std::optional<KeyRule> parsed;
      if (rule == "body") parsed = KeyRule{};
      else if (rule == "provider") parsed = provider_rule(section, "dedupe", KeyRule::From::id, has_provider);
      else parsed = parse_key_rule(rule);
      if (!parsed)
        section.fail("dedupe", "dedupe = " + quote(rule) +
                                   ": must be \"none\", \"provider\", \"body\", \"header:NAME\" or "
                                   "\"json:/pointer\", or a list of the latter four");
      options.dedupe.push_back(*parsed);
    }
  }
  section.read("dedupe_window", options.dedupe_window);
  if (options.dedupe_window < dedupe_window_min)
    section.fail("dedupe_window",
                 "dedupe_window must be at least \"1m\": providers send the same event again for hours");
}

void read_order(Section& section, bool has_provider, inbox::RouteOptions& options) {
  constexpr std::pair<std::string_view, KeyRule::From> facts[] = {
      {"chat", KeyRule::From::chat}, {"app", KeyRule::From::app}, {"type", KeyRule::From::type}};
  std::string order = "none";
  section.read("order", order);
  if (order == "none") return;
  options.order = inbox::Order::fifo;
  if (order == "fifo") return;
  options.order = inbox::Order::key;
  auto rule = parse_key_rule(order);
  for (const auto& [name, from] : facts)
    if (order == name) rule = provider_rule(section, "order", from, has_provider);
  if (!rule)
    section.fail("order", "order = " + quote(order) +
                              ": must be \"none\", \"fifo\", \"header:NAME\", \"json:/pointer\", or with a "
                              "provider \"chat\", \"app\" or \"type\"");
  options.order_key = *rule;
}

inbox::RetryOptions read_retry(Section retry) {
  inbox::RetryOptions options;
  retry.read("first", options.first);
  retry.read("longest", options.longest);
  retry.read("give_up", options.give_up);
  retry.read("timeout", options.timeout);
  if (options.first == milliseconds{0})
    retry.fail("first", "first must not be 0: an upstream that is down would be called without pause");
  if (options.longest < options.first) retry.fail("longest", "longest must not be less than first");
  if (options.timeout == milliseconds{0})
    retry.fail("timeout", "timeout must not be 0: an attempt that never ends holds up the others");
  retry.finish();
  return options;
}

void read_deadline(Section& section, const RouteProvider* provider, inbox::RouteOptions& options) {
  if (options.mode == Mode::automatic) options.deadline = automatic_deadline;
  if (options.mode != Mode::live && provider) options.deadline = provider->scheme.deadline;
  section.read("deadline", options.deadline);
  if (options.deadline > deadline_max)
    section.fail("deadline", "deadline must be at most \"5m\": callers do not wait longer");
  if (options.mode == Mode::automatic && options.deadline == milliseconds{0})
    section.fail("deadline", "deadline must not be 0 with mode = \"auto\"; mode = \"inbox\" does not wait");
}

void read_fallback(Section& section, bool has_provider, inbox::RouteOptions& options) {
  Section fallback = section.section("fallback");
  if (!section.contains("fallback")) return;
  // Of a provider's events by "auto" those are live that it wants an answer to.
  if (options.mode == Mode::inbox || (options.mode == Mode::automatic && !has_provider))
    section.fail("fallback", "fallback is for mode = \"live\"; a route that stores its requests has an ack");
  if (options.deadline == milliseconds{0})
    section.fail("fallback", "fallback needs a deadline, which says when it answers");
  options.fallback = read_answer(std::move(fallback));
}

void read_events(Section& section, const RouteProvider* provider, inbox::RouteOptions& options) {
  constexpr std::array<std::string_view, 2> successes = {"2xx", "2xx-with-body"};
  const auto ack = provider && options.mode != Mode::live ? fixed_ack(provider->scheme) : std::nullopt;
  options.ack = read_answer(section.section("ack"), ack.value_or(inbox::CannedAnswer()));
  read_dedupe(section, provider != nullptr, options);
  read_order(section, provider != nullptr, options);
  section.read_count("concurrency", options.concurrency, 1, concurrency_max);
  options.retry = read_retry(section.section("retry"));
  if (const auto success = section.read_choice("success_if", successes))
    options.success = static_cast<inbox::Success>(*success);
  std::uint64_t limit = options.body_bytes;
  section.read_size("body_limit", limit);
  if (limit < body_limit_min || limit > body_limit_max)
    section.fail("body_limit",
                 "body_limit must be from \"1KiB\" to \"1GiB\": each request is held in memory");
  options.body_bytes = static_cast<std::size_t>(limit);
  if (options.mode != Mode::live) return;
  for (const std::string_view key : event_keys)
    // What is to be verified is held in memory, stored or not.
    if (section.contains(key) && !(provider && key == "body_limit"))
      section.fail(key, std::string(key) +
                            " is about stored requests, and mode = \"live\" stores none: set mode to " +
                            "\"inbox\" or \"auto\", or remove it");
}

inbox::RouteOptions read_options(Section& section, const RouteProvider* provider) {
  constexpr std::array<std::string_view, 3> modes = {"live", "inbox", "auto"};
  inbox::RouteOptions options;
  if (provider) options.mode = Mode::automatic;
  if (const auto mode = section.read_choice("mode", modes)) options.mode = static_cast<Mode>(*mode);
  read_deadline(section, provider, options);
  read_fallback(section, provider != nullptr, options);
  read_events(section, provider, options);
  return options;
}

void check_targets(Section& section, const RouteConfig& route) {
  if (route.targets.empty()) return;
  if (route.inbox.mode == Mode::live)
    section.fail("mode", "mode = \"live\" has one answer and so one target; with [[route.target]] write " +
                             std::string("\"inbox\" or \"auto\""));
  for (const char* key : {"tunnel", "upstream"})
    if (section.contains(key))
      section.fail(key, std::string(key) + " is a matter of each [[route.target]] here");
}

}  // namespace

std::vector<RouteConfig> default_routes() {
  Section document = Section::parse(
      "[[route]]\nname = 'feishu'\npath = '/feishu/webhook'\nprovider = 'feishu'\n"
      "[[route]]\nname = 'default'\n",
      "defaults");
  std::vector<RouteConfig> routes;
  for (Section& section : document.sections("route"))
    routes.push_back(read_route(section, builtin_providers()));
  return routes;
}

RouteConfig read_route(Section& section, const providers::Catalog& catalog) {
  RouteConfig route;
  section.read_name("name", route.name);
  if (route.name.empty()) section.fail("name", "needs a name, for logs and metrics");
  read_host(section, route);
  section.read("path", route.path);
  if (!route.path.starts_with('/') || route.path.find_first_of("?# ") != std::string::npos)
    section.fail("path", "path = " + quote(route.path) + ": a path begins with \"/\" and has no query");
  section.read_name("tunnel", route.tunnel);
  section.read_name("upstream", route.upstream);
  section.read("host_header", route.host_header);
  if (route.host_header != "keep" && route.host_header != "upstream" &&
      !parse_host_port(route.host_header, 1))
    section.fail("host_header", "host_header = " + quote(route.host_header) +
                                    ": write \"keep\", \"upstream\", or the host[:port] to send");
  section.read("first_byte_timeout", route.first_byte_timeout);
  route.provider = read_route_provider(section, catalog);
  route.inbox = read_options(section, route.provider ? &*route.provider : nullptr);
  if (route.provider) limit_ages(section, *route.provider, route.inbox);
  route.targets = read_targets(section, route.provider.has_value());
  check_targets(section, route);
  section.finish();
  return route;
}

}  // namespace rockdove::config
