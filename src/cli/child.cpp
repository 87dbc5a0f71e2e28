#include "cli/child.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <system_error>

namespace rockdove::cli {
namespace {

std::string in_one_line(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& word : command) line += (line.empty() ? "" : " ") + word;
  return line;
}

}  // namespace

int run_child(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  // posix_spawn(3) takes pointers to what it does not change.
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::cerr << "+ " << in_one_line(command) << std::endl;
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (error == ENOENT)
    throw std::runtime_error(command[0] +
                             " is not there: this machine does not run systemd. Start the program " +
                             "with the supervisor that it has; SIGTERM ends it");
  if (error != 0)
    throw std::runtime_error("cannot start " + command[0] + ": " + std::generic_category().message(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void must_run(const std::vector<std::string>& command) {
  const int code = run_child(command);
  if (code != 0)
    throw std::runtime_error("\"" + in_one_line(command) + "\" ended with code " + std::to_string(code));
}

}  // namespace rockdove::cli
