#include "providers/template.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace rockdove::providers {
namespace {

using Kind = Part::Kind;

struct Hole {
  std::string_view name;
  Kind kind;
  bool is_shown;
};
constexpr std::array<Hole, 9> holes{{{"body", Kind::body, false},
                                     {"url", Kind::url, false},
                                     {"secret", Kind::secret, false},
                                     {"timestamp", Kind::timestamp, false},
                                     {"nonce", Kind::nonce, false},
                                     {"id", Kind::id, false},
                                     {"form", Kind::form, false},
                                     {"form_pairs", Kind::form_pairs, false},
                                     {"opened", Kind::opened, true}}};

constexpr std::string_view except_word = "form_pairs except ";
constexpr std::string_view quoted_word = "quoted ";

std::string allowed(Use use) {
  const std::string places = "${PLACE}, where PLACE is " + std::string(place_forms);
  if (use == Use::shown_text) return "here may stand ${opened} and " + places + ", each also as ${quoted …}";
  return "here may stand ${body}, ${url}, ${secret}, ${timestamp}, ${nonce}, ${id}, ${form}, ${form_pairs}, "
         "${form_pairs except a,b} and " +
         places;
}

std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const auto comma = list.find(',');
    names.emplace_back(trim(list.substr(0, comma)));
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
  }
  return names;
}

std::optional<Part> parse_hole(std::string_view text, Use use) {
  Part part;
  if (use == Use::shown_text && text.starts_with(quoted_word)) {
    part.quoted = true;
    text.remove_prefix(quoted_word.size());
  }
  if (use == Use::signed_text && text.starts_with(except_word)) {
    part.kind = Kind::form_pairs;
    part.except = split_names(text.substr(except_word.size()));
    const bool ok = !part.except.empty() && std::ranges::find(part.except, "") == part.except.end();
    return ok ? std::optional(std::move(part)) : std::nullopt;
  }
  for (const Hole& hole : holes) {
    if (hole.name != text || hole.is_shown != (use == Use::shown_text)) continue;
    part.kind = hole.kind;
    return part;
  }
  auto place = parse_place(text);
  if (!place) return std::nullopt;
  part.kind = Kind::place;
  part.place = std::move(*place);
  return part;
}

void add_literal(Template& parts, std::string_view text) {
  if (text.empty()) return;
  Part part;
  part.text = std::string(text);
  parts.push_back(std::move(part));
}

}  // namespace

std::variant<Template, TemplateError> parse_template(std::string_view text, Use use) {
  Template parts;
  for (std::size_t start = text.find("${"); start != text.npos; start = text.find("${")) {
    add_literal(parts, text.substr(0, start));
    const std::size_t end = text.find('}', start);
    if (end == text.npos) return TemplateError{"\"${\" without its \"}\"; " + allowed(use)};
    const std::string_view inside = text.substr(start + 2, end - start - 2);
    auto part = parse_hole(inside, use);
    if (!part) return TemplateError{"unknown hole \"${" + std::string(inside) + "}\"; " + allowed(use)};
    parts.push_back(std::move(*part));
    text.remove_prefix(end + 1);
  }
  add_literal(parts, text);
  return parts;
}

std::string to_text(const Template& parts) {
  std::string text;
  for (const Part& part : parts) {
    if (part.kind == Kind::literal) {
      text += part.text;
      continue;
    }
    text += part.quoted ? "${quoted " : "${";
    if (part.kind == Kind::place) text += to_text(part.place);
    for (const Hole& hole : holes)
      if (hole.kind == part.kind) text += hole.name;
    for (std::size_t i = 0; i < part.except.size(); ++i) text += (i == 0 ? " except " : ",") + part.except[i];
    text += "}";
  }
  return text;
}

}  // namespace rockdove::providers
