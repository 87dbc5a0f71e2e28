// rockdove providers list | show | verify: whose webhooks are known, and is this request really theirs?
#include "base/files.hpp"
#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "cli/captured_request.hpp"
#include "cli/commands.hpp"
#include "cli/events.hpp"
#include "config/config_path.hpp"
#include "config/provider_config.hpp"
#include "ops/table.hpp"
#include "providers/events.hpp"
#include "providers/verify.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace rockdove::cli {
namespace {

namespace json = boost::json;
using namespace rockdove::providers;

struct Options {
  std::string config;
  std::string file, provider, url, time;
  std::vector<std::string> secret_files;
  bool json = false;
};

Catalog load_catalog(const Options& options) {
  const auto file = config::find_config(options.config, "server");
  if (file.empty()) return config::builtin_providers();
  auto document = config::Section::parse(read_file(file), file.string());
  return config::read_providers(document);
}

const Scheme& find_scheme(const Catalog& catalog, const std::string& name) {
  if (const Scheme* scheme = catalog.find(name)) return *scheme;
  throw CLI::ValidationError("provider", "there is no \"" + printable(name, Lines::escape) +
                                             "\"; rockdove providers list shows those there are");
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& one : list) text += (text.empty() ? "" : ", ") + one;
  return text;
}

template <class List>
json::array texts(const List& list) {
  json::array result;
  for (const auto& one : list) result.emplace_back(to_text(one));
  return result;
}

json::array strings(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

int list(const Options& options) {
  const Catalog catalog = load_catalog(options);
  json::array rows;
  ops::Table table({"NAME", "SECRETS", "FOR"});
  for (const Scheme& scheme : catalog.all()) {
    table.add({scheme.name, joined(secret_names(scheme)), printable(scheme.title, Lines::escape)});
    json::object row;
    row["name"] = scheme.name;
    row["title"] = scheme.title;
    row["secrets"] = strings(secret_names(scheme));
    rows.emplace_back(std::move(row));
  }
  if (options.json) print_json(rows);
  else std::cout << table.str();
  return 0;
}

json::object describe(const Check& check) {
  json::object result;
  result["name"] = check.name;
  result["when"] = texts(check.when);
  if (!check.unless.empty()) result["unless"] = check.unless;
  if (!check.instead_of.empty()) result["instead_of"] = check.instead_of;
  if (check.only_challenge) result["challenge"] = true;
  result["algorithm"] = algorithm_names[static_cast<std::size_t>(check.algorithm)];
  result["signature"] = texts(check.signature);
  result["encoding"] = encoding_names[static_cast<std::size_t>(check.encoding)];
  if (!check.prefix.empty()) result["prefix"] = check.prefix;
  if (!check.parts.empty()) result["signed"] = texts(check.parts);
  if (check.sorted) result["sorted"] = true;
  if (check.timestamp) result["timestamp"] = to_text(*check.timestamp);
  if (check.tolerance) result["tolerance_s"] = check.tolerance->count() / 1000;
  result["secret"] = check.secret;
  return result;
}

json::object describe(const Scheme& scheme) {
  json::object result;
  result["name"] = scheme.name;
  result["title"] = scheme.title;
  result["secrets"] = strings(secret_names(scheme));
  json::array& checks = result["checks"].emplace_array();
  for (const Check& check : scheme.checks) checks.emplace_back(describe(check));
  json::array& challenges = result["challenges"].emplace_array();
  for (const Challenge& challenge : scheme.challenges) {
    json::object one;
    one["when"] = texts(challenge.when);
    one["unsigned"] = challenge.is_unsigned;
    one["reply"] = to_text(challenge.reply.body);
    challenges.emplace_back(std::move(one));
  }
  json::array& events = result["events"].emplace_array();
  for (const EventRule& event : scheme.events) {
    json::object one;
    one["when"] = texts(event.when);
    one["id"] = texts(event.id);
    one["type"] = texts(event.type);
    if (event.tolerance) one["tolerance_s"] = event.tolerance->count() / 1000;
    one["synchronous"] = event.synchronous;
    if (event.fallback) one["fallback"] = to_text(*event.fallback);
    events.emplace_back(std::move(one));
  }
  json::object ack;
  ack["status"] = scheme.ack.status;
  ack["type"] = scheme.ack.type;
  ack["body"] = to_text(scheme.ack.body);
  result["ack"] = std::move(ack);
  result["refusal"] = scheme.refusal;
  return result;
}

/// A description as indented lines, for people.
void print_lines(const json::value& value, const std::string& indent) {
  const auto scalar = [](const json::value& one) {
    return one.is_string() ? printable(one.get_string(), Lines::escape) : json::serialize(one);
  };
  for (const auto& [key, member] : value.get_object()) {
    const auto* list = member.if_array();
    if (!list && !member.is_object()) std::cout << indent << key << ": " << scalar(member) << "\n";
    if (member.is_object()) std::cout << indent << key << ":\n", print_lines(member, indent + "  ");
    for (std::size_t i = 0; list && i < list->size(); ++i) {
      const json::value& one = (*list)[i];
      if (one.is_object()) std::cout << indent << key << ":\n", print_lines(one, indent + "  ");
      else std::cout << indent << key << ": " << scalar(one) << "\n";
    }
  }
}

int show(const Options& options) {
  const Catalog catalog = load_catalog(options);
  const auto description = describe(find_scheme(catalog, options.provider));
  if (options.json) print_json(description);
  else print_lines(description, "");
  return 0;
}

/// FILE, or NAME=FILE where a provider has several secrets.
void add_secret(const Scheme& scheme, const std::string& text, Secrets& secrets) {
  const auto names = secret_names(scheme);
  const auto assign = text.find('=');
  std::string name = assign == text.npos ? "" : text.substr(0, assign);
  if (name.empty() && names.size() > 1)
    throw std::runtime_error("provider " + scheme.name +
                             " has several secrets: write --secret-file NAME=FILE, NAME is " + joined(names));
  if (name.empty()) name = names.front();
  std::string value = read_file(assign == text.npos ? text : text.substr(assign + 1));
  while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
  secrets.add(name, std::move(value));
}

WallTime time_of(const Options& options) {
  if (options.time.empty())
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return parse_rfc3339(options.time).value();
}

std::string url_of(const Options& options, const CapturedRequest& request) {
  if (!options.url.empty()) return options.url;
  return "https://" + std::string(request.fields.get("Host").value_or("")) + request.target;
}

int verify_file(const Options& options) {
  const Catalog catalog = load_catalog(options);
  const Scheme& scheme = find_scheme(catalog, options.provider);
  Secrets secrets;
  for (const std::string& file : options.secret_files) add_secret(scheme, file, secrets);
  if (const auto problem = problem_with(scheme, secrets)) throw std::runtime_error(*problem);
  CapturedRequest request;
  try {
    request = parse_captured(read_file(options.file));
  } catch (const std::runtime_error& error) { throw std::runtime_error(options.file + ": " + error.what()); }
  const std::string url = url_of(options, request);
  const Message message(scheme, secrets, RequestView{request.method, url, request.fields, request.body});
  const Verdict verdict = verify(message, time_of(options));
  const bool is_proven = verdict.outcome == Outcome::ok;
  const Facts facts = is_proven ? read_facts(message) : Facts{};
  const auto answer = is_proven ? challenge_answer(message, time_of(options)) : std::nullopt;
  if (options.json) {
    json::object result;
    result["ok"] = is_proven;
    result["outcome"] = outcome_name(verdict.outcome);
    result["check"] = verdict.check;
    result["part"] = verdict.part;
    result["explanation"] = explain(verdict);
    if (is_proven) result["event"] = json::object{{"id", to_utf8(facts.id)}, {"type", to_utf8(facts.type)}};
    if (answer) result["challenge_answer"] = to_utf8(answer->body);
    print_json(result);
    return is_proven ? 0 : 1;
  }
  std::ostream& out = is_proven ? std::cout : std::cerr;
  out << outcome_name(verdict.outcome) << (verdict.check.empty() ? "" : " (" + verdict.check + ")") << ": "
      << printable(explain(verdict), Lines::escape) << "\n";
  if (!facts.id.empty()) std::cout << "event: " << printable(facts.id, Lines::escape) << "\n";
  if (!facts.type.empty()) std::cout << "type: " << printable(facts.type, Lines::escape) << "\n";
  if (answer) std::cout << "challenge, answered with: " << printable(answer->body, Lines::escape) << "\n";
  return is_proven ? 0 : 1;
}

CLI::App* add_command(CLI::App& group, Run& run, const std::shared_ptr<Options>& options, const char* name,
                      const char* what, int (*function)(const Options&)) {
  CLI::App* command = group.add_subcommand(name, what);
  command
      ->add_option("--config", options->config,
                   "The server's configuration file, for its own [[provider]] tables")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([&run, options, function] { run = [options, function] { return function(*options); }; });
  return command;
}

std::string time_error(std::string& text) {
  return parse_rfc3339(text) ? "" : "write a time such as 2026-11-23T04:00:00Z";
}

}  // namespace

void add_providers(CLI::App& app, Run& run) {
  CLI::App* group =
      app.add_subcommand("providers", "See whose webhooks are known, and check a saved request");
  group->require_subcommand(0, 1);
  group->footer("Example:\n  rockdove providers show feishu");
  auto options = std::make_shared<Options>();
  add_command(*group, run, options, "list", "List the providers and the secrets that they need", list)
      ->footer("Example:\n  rockdove providers list");
  CLI::App* command = add_command(*group, run, options, "show", "Show how a provider signs", show);
  command->add_option("NAME", options->provider, "The provider")->required();
  command->footer("Example:\n  rockdove providers show feishu");

  command = add_command(*group, run, options, "verify",
                        "Say whether a saved request is proven, and if not, which part fails", verify_file);
  command->add_option("FILE", options->file, "The request: its head as on the wire, an empty line, its body")
      ->required();
  command->add_option("--provider", options->provider, "Whose request it is")->required()->type_name("NAME");
  command
      ->add_option("--secret-file", options->secret_files,
                   "File with the secret; NAME=FILE if there are several. May be given again")
      ->required()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("[NAME=]FILE");
  command
      ->add_option("--url", options->url, "The public URL that was called; default: https, Host and target")
      ->type_name("URL");
  command->add_option("--time", options->time, "When it came; default: now")
      ->type_name("TIME")
      ->check(CLI::Validator(time_error, ""));
  command->footer(
      "Exit code: 0 proven, 1 not, 2 wrong usage.\n\n"
      "Example:\n  rockdove providers verify request.txt --provider github --secret-file github.key");
}

}  // namespace rockdove::cli
