#include "doctor/data_directory.hpp"

#include "doctor/figures.hpp"
#include "doctor/judge.hpp"
#include "doctor/machine.hpp"
#include "inbox/inspect.hpp"
#include "inbox/schema.hpp"
#include "net/certificate.hpp"
#include "server/settings.hpp"
#include "server/tokens.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

namespace rockdove::doctor {
namespace {

namespace fs = std::filesystem;

/// Whoever has one of these is the server, or its operator, or reads what callers sent.
constexpr const char* private_files[] = {"tls-key.pem", "admin-token", "tokens.json", "inbox.db",
                                         "inbox.db-wal"};

bool is_there(const fs::path& file) {
  std::error_code unknown;
  return fs::exists(file, unknown);
}

}  // namespace

bool check_data(Report& report, const fs::path& data) {
  struct stat found {};
  if (::stat(data.c_str(), &found) != 0) {
    if (errno == ENOENT) report.add("data.missing", {fs::absolute(data).string()});
    else report.add("data.unusable", {data.string(), std::strerror(errno)});
    return false;
  }
  const unsigned mode = found.st_mode & 07777;
  if (::access(data.c_str(), R_OK | W_OK | X_OK) != 0 || !S_ISDIR(found.st_mode)) {
    report.add("data.unusable", {data.string(), std::strerror(S_ISDIR(found.st_mode) ? errno : ENOTDIR)});
    return false;
  }
  if ((mode & 077) != 0) report.add("data.open", {data.string(), fmt::format("{:04o}", mode)});
  else report.add("data.ok", {data.string()});
  for (const char* name : private_files) check_private_if_any(report, data / name);
  return true;
}

std::optional<std::vector<std::string>> check_tokens(Report& report, const fs::path& data) {
  try {
    const auto tokens = server::TokenStore(data).list();
    std::set<std::string> tunnels;
    for (const server::Token& token : tokens) tunnels.insert(token.tunnel);
    std::string names;
    for (const std::string& each : tunnels) names += (names.empty() ? "" : ", ") + each;
    if (tokens.empty()) report.add("tokens.none");
    else report.add("tokens.ok", {std::to_string(tokens.size()), names});
    return std::vector(tunnels.begin(), tunnels.end());
  } catch (const std::exception& error) {
    report.add("tokens.damaged", {error.what()});
    return std::nullopt;
  }
}

void check_inbox(Report& report, const fs::path& data) {
  const fs::path file = data / "inbox.db";
  if (!is_there(file)) return report.add("inbox.none", {file.string()});
  const auto found = inbox::inspect(file);
  const std::string version = std::to_string(found.version), known = std::to_string(inbox::schema_version);
  if (!found.error.empty()) return report.add("inbox.unreadable", {file.string(), found.error});
  if (!found.is_ours) return report.add("inbox.foreign", {file.string()});
  if (found.version > inbox::schema_version)
    return report.add("inbox.newer", {file.string(), version, known});
  if (found.version < inbox::schema_version) return report.add("inbox.old", {file.string(), version, known});
  std::error_code unknown;
  report.add("inbox.ok", {file.string(), version, rounded_size(fs::file_size(file, unknown))});
}

void check_certificates(Report& report, const config::ServerConfig& config) {
  using namespace std::chrono;
  const auto check = [&](const char* port, const fs::path& certificate, const fs::path& key) {
    try {
      net::make_server_tls(certificate, key);
      const auto left = net::certificate_end(certificate) - floor<seconds>(system_clock::now());
      const auto days_left = floor<days>(left).count();
      const State state = judge_days(days_left);
      report.add(state == State::ok     ? Id("certificate.ok")
                 : state == State::warn ? Id("certificate.soon")
                                        : Id("certificate.ended"),
                 {port, std::to_string(days_left)});
      check_private_if_any(report, key);
    } catch (const std::exception& error) { report.add("certificate.unusable", {port, error.what()}); }
  };
  if (config.ingress_tls.enabled()) check("ingress", config.ingress_tls.certificate, config.ingress_tls.key);
  const auto& tunnel = config.tunnel_tls;
  if (tunnel.mode == config::TunnelTls::off) return;
  if (tunnel.mode == config::TunnelTls::certificate) return check("tunnel", tunnel.certificate, tunnel.key);
  const bool is_made = tunnel.certificate.empty();
  const fs::path certificate = is_made ? config.data / "tls-certificate.pem" : tunnel.certificate;
  const fs::path key = is_made ? config.data / "tls-key.pem" : tunnel.key;
  if (is_made && !is_there(certificate)) return report.add("certificate.none_yet");
  try {
    net::make_server_tls(certificate, key);
    report.add("certificate.own", {net::certificate_pin(certificate)});
    if (!is_made) check_private_if_any(report, key);
  } catch (const std::exception& error) { report.add("certificate.unusable", {"tunnel", error.what()}); }
}

}  // namespace rockdove::doctor
