// Requests as providers send them, with the secrets that prove them. The signatures come from the providers'
// own libraries and from OpenSSL; the keys are for tests alone.
#pragma once

#include "base/files.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::test {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct ProviderVector {
  std::string name, provider, method, url;
  Pairs fields;
  std::string body;
  Pairs secrets;
  std::string signature;    ///< as it stands in the request
  bool signs_body = false;  ///< another body needs another signature
  std::string event_id;     ///< empty: the request has none, or no test for it
};

/// The whole file: provider_vectors.json.
inline const boost::json::object& provider_data() {
  static const boost::json::value data =
      boost::json::parse(read_file(std::filesystem::path(__FILE__).parent_path() / "provider_vectors.json"));
  return data.as_object();
}

inline std::string provider_text(std::string_view key) {
  return std::string(provider_data().at(key).as_string());
}

/// Seconds since 1970 at which all of them were signed.
inline long long provider_vectors_time() {
  return provider_data().at("signed_at").as_int64();
}

inline std::vector<ProviderVector> provider_vectors() {
  const auto text = [](const boost::json::value& from, std::string_view key) {
    return std::string(from.as_object().at(key).as_string());
  };
  const auto pairs = [](const boost::json::value& from, std::string_view key) {
    return boost::json::value_to<Pairs>(from.as_object().at(key));
  };
  std::vector<ProviderVector> vectors;
  for (const boost::json::value& one : provider_data().at("requests").as_array())
    vectors.push_back({text(one, "name"), text(one, "provider"), text(one, "method"), text(one, "url"),
                       pairs(one, "fields"), text(one, "body"), pairs(one, "secrets"), text(one, "signature"),
                       one.as_object().at("signs_body").as_bool(), text(one, "event_id")});
  return vectors;
}

}  // namespace rockdove::test
