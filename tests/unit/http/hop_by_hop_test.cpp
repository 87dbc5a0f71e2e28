#include "http/hop_by_hop.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rockdove::http {
namespace {

using List = std::vector<std::pair<std::string, std::string>>;

List without_hop_by_hop(const List& given) {
  Fields fields;
  for (const auto& [name, value] : given) fields.add(name, value);
  remove_hop_by_hop(fields);
  List left;
  for (const auto [name, value] : fields) left.emplace_back(name, value);
  return left;
}

TEST(remove_hop_by_hop, takes_what_belongs_to_one_connection_and_nothing_else) {
  const struct {
    const char* what;
    List given, left;
  } cases[] = {
      {"end-to-end fields stay in order, duplicates too",
       {{"B", "1"}, {"a", "2"}, {"B", "3"}},
       {{"B", "1"}, {"a", "2"}, {"B", "3"}}},
      {"the fixed ones, in any case",
       {{"CONNECTION", "close"},
        {"keep-Alive", "5"},
        {"Proxy-Connection", "x"},
        {"transfer-encoding", "chunked"},
        {"Upgrade", "h2c"},
        {"X", "1"}},
       {{"X", "1"}}},
      {"without a Connection field too", {{"Keep-Alive", "5"}, {"X", "1"}}, {{"X", "1"}}},
      {"those that Connection names, with any white space",
       {{"Connection", " x-a ,\tX-B\t,,close"}, {"X-A", "1"}, {"x-b", "2"}, {"X-C", "3"}},
       {{"X-C", "3"}}},
      {"those of several Connection fields",
       {{"Connection", "x-a"}, {"X-A", "1"}, {"connection", "x-b"}, {"X-B", "2"}, {"X-A", "3"}},
       {}},
      {"names are compared as a whole", {{"Connection", "x"}, {"X-A", "1"}}, {{"X-A", "1"}}},
      {"TE shrinks to trailers", {{"TE", "gzip;q=0.5, Trailers"}}, {{"TE", "trailers"}}},
      {"TE without trailers goes", {{"te", "gzip"}}, {}},
      {"TE that Connection names keeps trailers",
       {{"Connection", "TE"}, {"TE", "trailers"}},
       {{"TE", "trailers"}}},
      {"Trailer stays", {{"Trailer", "X-Sum"}}, {{"Trailer", "X-Sum"}}},
  };
  for (const auto& each : cases) EXPECT_EQ(without_hop_by_hop(each.given), each.left) << each.what;
}

TEST(remove_hop_by_hop, does_not_let_connection_take_what_gives_the_message_its_meaning) {
  for (const std::string name :
       {"Content-Length", "Content-Type", "Host", "Authorization", "Cookie", "X-Forwarded-For", "Trailer"}) {
    const List given{{"Connection", "close, " + name}, {name, "v"}};
    EXPECT_EQ(without_hop_by_hop(given), (List{{name, "v"}})) << name;
  }
}

}  // namespace
}  // namespace rockdove::http
