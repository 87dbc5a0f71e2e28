// Bodies of all kinds: as JSON, as XML and as a form. Places are found or absent, in either view alike, and a
// form that is written out again reads the same.
#include "base/percent.hpp"
#include "providers/document.hpp"
#include "providers/form.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>
#include <cstdlib>

namespace {

using namespace rockdove::providers;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string_view line(std::string_view& rest) {
  const std::string_view found = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(found.size() + 1, rest.size()));
  return found;
}

/// Text as XML can carry it in one element.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text)
    result += "&#x" + std::string(1, "0123456789abcdef"[(c >> 4) & 7]) +
              std::string(1, "0123456789abcdef"[c & 15]) + ";";
  return result;
}

void check_json(std::string_view text, std::string_view pointer) {
  const Document document(text);
  const auto value = document.json(pointer);
  const auto every = document.every(pointer);
  if (!has_every(pointer)) require(every ? every->size() == 1 && every->front() == value : !value);
  else require(!every || !every->empty());
  if (!value) return;
  require(document.has_json(pointer));
  require(document.either(pointer) == value || text.find('<') != text.npos);
  boost::json::error_code error;
  const auto tree = boost::json::parse(text, error);
  require(!error && tree.find_pointer(pointer, error) != nullptr);
  const std::string again = boost::json::serialize(tree);
  boost::json::parse(again, error);
  if (error) {  // 1e999, read as an infinity and written as one: JSON has no word for it
    require(again.find("Infinity") != again.npos || again.find("NaN") != again.npos);
    return;
  }
  require(Document(again).json(pointer) == value);
}

void check_xml(std::string_view text, std::string_view path) {
  const auto value = xml_text(text, path);
  const Document document(text);
  if (document.xml(path)) require(document.xml(path) == value && document.has_either(path));
  std::string ascii(text.substr(0, 64));
  std::erase_if(ascii, [](char c) { return c <= 0; });
  const std::string made = "<?xml version=\"1.0\"?><x a='>'><!-- <A> --><B><A/></B><A>" + escaped(ascii) +
                           "<![CDATA[" + (ascii.find("]]>") == ascii.npos ? ascii : "") + "]]></A></x>";
  const auto found = xml_text(made, "/A");
  require(found == ascii + (ascii.find("]]>") == ascii.npos ? ascii : ""));
}

void check_form(std::string_view text) {
  const auto pairs = parse_form(text);
  if (!pairs) return;
  require(pairs->size() <= form_pairs_max);
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto coded = [](const std::string& plain) {
    std::string result;
    for (const char c : plain) {
      const auto byte = static_cast<unsigned char>(c);
      result.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
    return result;
  };
  std::string again;
  for (const FormPair& pair : *pairs) {
    again.append(again.empty() ? "" : "&").append(coded(pair.name)).append("=").append(coded(pair.value));
    require(find_pair(*pairs, pair.name) != nullptr);
  }
  require(parse_form(again) == pairs);
}

}  // namespace

/// A line with a place, then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view place = line(rest);
  check_json(rest, place);
  check_xml(rest, place);
  check_form(rest);
  return 0;
}
