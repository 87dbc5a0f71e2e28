// Two sessions and the wire between them.
#pragma once

#include "tunnel/h2.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::tunnel {

using List = std::vector<std::pair<std::string, std::string>>;
using StreamPtr = std::shared_ptr<H2Stream>;

inline List list_of(const http::Fields& fields) {
  List list;
  for (const auto [name, value] : fields) list.emplace_back(name, value);
  return list;
}

inline H2::HeadList views_of(const List& list) {
  H2::HeadList views;
  for (const auto& [name, value] : list) views.push_back({name, value});
  return views;
}

inline const List get_head{{":method", "GET"}, {":path", "/"}};
inline const List ok_head{{":status", "200"}};

/// Two sessions and the wire between them.
struct Pair {
  explicit Pair(H2::Options opener_options = {}, H2::Options answerer_options = {})
      : opener(Role::opener, opener_options, [] { return std::make_shared<H2Stream>(); }),
        answerer(Role::answerer, answerer_options, [this] {
          opened.push_back(std::make_shared<H2Stream>());
          return opened.back();
        }) {
    exchange();
  }

  /// Carries everything either side has to say; false if a session has broken.
  bool exchange() {
    bool intact = true;
    for (std::string there = "x", back = "x"; intact && (!there.empty() || !back.empty());) {
      there.clear();
      back.clear();
      intact = opener.take(there, SIZE_MAX).has_value() && answerer.feed(there).has_value() &&
               answerer.take(back, SIZE_MAX).has_value() && opener.feed(back).has_value();
    }
    return intact;
  }

  StreamPtr open(const List& head = get_head, bool last = true) {
    auto stream = std::make_shared<H2Stream>();
    EXPECT_TRUE(opener.open(stream, views_of(head), last));
    return stream;
  }

  std::vector<StreamPtr> opened;  // by the opener, as the answerer sees them
  H2 opener, answerer;
};

}  // namespace rockdove::tunnel
