#include "server/router.hpp"

#include "base/percent.hpp"
#include "http/fields.hpp"

#include <algorithm>

namespace rockdove::server {
namespace {

bool is_wildcard(std::string_view host) {
  return host.starts_with("*.");
}

/// Larger is more specific.
std::pair<std::size_t, std::size_t> rank(const config::RouteConfig& route) {
  const std::size_t exact = 1'000'000;  // longer than any host
  const std::size_t host = route.host.empty() ? 0 : is_wildcard(route.host) ? route.host.size() : exact;
  return {host, route.path.size()};
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const bool is_port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  return is_port ? host.substr(0, colon) : host;
}

bool host_fits(std::string_view pattern, std::string_view host) {
  if (pattern.empty()) return true;
  if (!is_wildcard(pattern)) return http::iequals(pattern, host);
  const std::string_view suffix = pattern.substr(1);
  return host.size() > suffix.size() && http::iequals(host.substr(host.size() - suffix.size()), suffix);
}

bool path_fits(std::string_view prefix, std::string_view target) {
  if (prefix == "/") return true;
  if (!target.starts_with(prefix)) return false;
  if (target.size() == prefix.size() || prefix.ends_with('/')) return true;
  const char next = target[prefix.size()];
  return next == '/' || next == '?';
}

/// The path as the most lenient program reads it: decoded, in lower case, without parameters, empty and dot
/// segments.
std::string lenient_path(std::string_view target) {
  std::string path(target.substr(0, target.find_first_of("?#")));
  for (int round = 0; round < 2 && path.find('%') != path.npos; ++round) {
    auto decoded = percent_decode(path);
    if (!decoded) break;
    path = std::move(*decoded);
  }
  std::vector<std::string> segments;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find_first_of("/\\", at), path.size());
    std::string segment = path.substr(at, end - at);
    segment.resize(std::min(segment.find(';'), segment.size()));
    for (char& c : segment)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!segment.empty() && segment != "." && segment != "..") segments.push_back(std::move(segment));
    at = end + 1;
  }
  std::string lenient;
  for (const std::string& segment : segments) lenient.append("/").append(segment);
  return lenient.empty() ? "/" : lenient;
}

/// True if no program reads the path as another one.
bool is_plain(std::string_view path) {
  char before = '\0';
  for (const char c : path) {
    if ((c >= 'A' && c <= 'Z') || c == '%' || c == ';' || c == '\\' || c == '#') return false;
    if (before == '/' && (c == '/' || c == '.')) return false;
    before = c;
  }
  return true;
}

}  // namespace

Router::Router(std::vector<config::RouteConfig> routes) : routes_(std::move(routes)) {
  std::stable_sort(routes_.begin(), routes_.end(),
                   [](const auto& a, const auto& b) { return rank(a) > rank(b); });
  for (const config::RouteConfig& route : routes_) {
    lenient_paths_.push_back(lenient_path(route.path));
    has_provider_ = has_provider_ || route.provider;
    has_plain_paths_ = has_plain_paths_ && is_plain(route.path);
  }
}

const config::RouteConfig* Router::find(std::string_view host, std::string_view target) const {
  host = without_port(host);
  for (const config::RouteConfig& route : routes_)
    if (host_fits(route.host, host) && path_fits(route.path, target)) return &route;
  return nullptr;
}

bool Router::evades_provider(const config::RouteConfig* found, std::string_view host,
                             std::string_view target) const {
  if (!has_provider_) return false;
  host = without_port(host);
  // Nearly every request, and every one that find() has read as a lenient program would.
  if (has_plain_paths_ && is_plain(target.substr(0, target.find('?'))) && !host.ends_with('.')) return false;
  while (host.ends_with('.')) host.remove_suffix(1);
  const std::string path = lenient_path(target);
  for (std::size_t i = 0; i < routes_.size(); ++i)
    if (host_fits(routes_[i].host, host) && path_fits(lenient_paths_[i], path))
      return &routes_[i] != found && routes_[i].provider;
  return false;
}

}  // namespace rockdove::server
