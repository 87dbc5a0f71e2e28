// What a call asks for, by the form of its request target (RFC 9112 section 3.2).
#pragma once

#include "base/host_port.hpp"

#include <string>
#include <string_view>

namespace rockdove::egress {

struct Target {
  enum class Form {
    connect,   ///< "CONNECT host:port": bytes both ways
    absolute,  ///< "GET http://host/path", or https, for which the server makes the TLS
    named,     ///< "GET /name/path": the path of a destination that the server knows by name
  };

  Form form = Form::connect;
  HostPort address;  ///< canonical_host(); not for `named`
  bool tls = false;  ///< of `absolute`: https
  std::string name;  ///< of `named`
  std::string path;  ///< what the destination is asked for, path and query; not for `connect`

  bool operator==(const Target&) const = default;
};

/// Error::malformed: none of the three; Error::destination_unknown: no name that a destination can have.
Result<Target> parse_target(std::string_view method, std::string_view target);

/// True if `path` has a segment "." or "..", however it is written: a destination could leave its base by it.
bool has_dot_segment(std::string_view path);

/// `path` without its query.
std::string_view without_query(std::string_view path);

}  // namespace rockdove::egress
