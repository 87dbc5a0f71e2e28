// Links under way in a test.
#pragma once

#include "net/task_group.hpp"
#include "support/bodies.hpp"
#include "support/sockets.hpp"
#include "tunnel/link.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace rockdove::test {

/// A link under way and how it ended.
struct RunningLink {
  std::shared_ptr<tunnel::Link> link;
  std::shared_ptr<std::optional<boost::system::error_code>> end =
      std::make_shared<std::optional<boost::system::error_code>>();

  bool has_ended() const { return end->has_value(); }
};

using LinkEnd = std::shared_ptr<std::optional<boost::system::error_code>>;

inline net::Awaitable<void> run_link(std::shared_ptr<tunnel::Link> link, LinkEnd end) {
  std::string early;
  const auto why = co_await link->run(std::move(early));
  *end = why;
}

inline RunningLink start_link(net::TaskGroup& group, std::shared_ptr<tunnel::Link> link) {
  RunningLink running{std::move(link)};
  group.spawn(run_link(running.link, running.end));
  return running;
}

}  // namespace rockdove::test
