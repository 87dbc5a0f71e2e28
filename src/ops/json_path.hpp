// Looks into JSON whose shape another version of the program may have made.
#pragma once

#include <boost/json/value.hpp>

#include <initializer_list>
#include <string_view>

namespace rockdove::ops {

/// What the keys of `path` ("ingress", "connections") lead to from object to object, or null.
inline const boost::json::value* find(const boost::json::value& from,
                                      std::initializer_list<std::string_view> path) {
  const boost::json::value* at = &from;
  for (const auto key : path) {
    const boost::json::object* object = at->if_object();
    at = object ? object->if_contains(key) : nullptr;
    if (!at) return nullptr;
  }
  return at;
}

}  // namespace rockdove::ops
