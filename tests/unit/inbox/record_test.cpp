#include "inbox/record.hpp"

#include <gtest/gtest.h>

#include <set>

namespace rockdove::inbox {
namespace {

using namespace std::string_literals;

StoredRequest request_with_everything() {
  StoredRequest request;
  request.method = "POST";
  request.target = "/feishu/webhook?a=%20b&c";
  request.fields.add("Host", "example.com");
  request.fields.add("x-lark-signature", "0123");
  request.fields.add("X-Lark-Signature", "");
  request.fields.add("x-bytes", "\x80\xff\t\"");
  request.has_body = true;
  request.request_id = "00ff";
  request.peer = "2001:db8::1";
  request.tls = true;
  request.upstream = "bot";
  request.host = "upstream";
  return request;
}

void expect_same(const StoredRequest& read, const StoredRequest& written) {
  EXPECT_EQ(read.method, written.method);
  EXPECT_EQ(read.target, written.target);
  EXPECT_EQ(read.has_body, written.has_body);
  EXPECT_EQ(read.tls, written.tls);
  EXPECT_EQ(read.request_id, written.request_id);
  EXPECT_EQ(read.peer, written.peer);
  EXPECT_EQ(read.upstream, written.upstream);
  EXPECT_EQ(read.host, written.host);
  ASSERT_EQ(read.fields.size(), written.fields.size());
  for (std::size_t i = 0; i < read.fields.size(); ++i) {
    EXPECT_EQ(read.fields.at(i).name, written.fields.at(i).name);
    EXPECT_EQ(read.fields.at(i).value, written.fields.at(i).value);
  }
}

TEST(Record, gives_back_every_part_of_a_request_byte_for_byte) {
  StoredRequest awkward = request_with_everything();
  awkward.target = "/\0\r\n"s;
  awkward.host.assign(100'000, 'h');
  StoredRequest plain = request_with_everything();
  plain.has_body = false;
  for (const StoredRequest& written : {request_with_everything(), awkward, plain, StoredRequest{}}) {
    const auto read = decode_head(encode_head(written));
    ASSERT_TRUE(read);
    expect_same(*read, written);
    EXPECT_EQ(read->body, "");
  }
}

TEST(Record, form_1_stays_readable) {
  // What is on people's disks. Never change this; a new form gets a new version byte.
  const std::string bytes =
      "\x01\x03"
      "\x04\0\0\0POST\x02\0\0\0/a\x01\0\0\0r\x09\0\0\0"
      "127.0.0.1\0\0\0\0\0\0\0\0"
      "\x01\0\0\0\x04\0\0\0Host\x01\0\0\0h"s;
  const auto read = decode_head(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->method + " " + read->target, "POST /a");
  EXPECT_EQ(read->request_id, "r");
  EXPECT_EQ(read->peer, "127.0.0.1");
  EXPECT_TRUE(read->has_body && read->tls);
  EXPECT_EQ(read->fields.get("host"), "h");
  EXPECT_EQ(encode_head(*read), bytes);
}

TEST(Record, refuses_every_beginning_of_a_record_and_every_longer_one) {
  const std::string whole = encode_head(request_with_everything());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(decode_head(whole.substr(0, size)).error(), Error::malformed) << size;
  EXPECT_EQ(decode_head(whole + '\0').error(), Error::malformed);
}

TEST(Record, refuses_unknown_versions_and_flags_and_sizes_that_cannot_be) {
  const std::string none(6 * 4, '\0');
  const std::string huge = "\xff\xff\xff\xff"s;
  EXPECT_TRUE(decode_head("\x01\0"s + none + "\0\0\0\0"s));
  for (const std::string& bytes : {
           "\0\0"s + none + "\0\0\0\0"s,      // version
           "\x02\0"s + none + "\0\0\0\0"s,    // version
           "\x01\x04"s + none + "\0\0\0\0"s,  // flag
           "\x01\0"s + huge,                  // size of the method
           "\x01\0"s + none + huge,           // number of fields
           "\x01\0"s + none + "\x01\0\0\0"s,  // a field that is not there
       })
    EXPECT_EQ(decode_head(bytes).error(), Error::malformed);
}

TEST(Record, checksum_tells_every_change_of_a_bit_and_a_byte_that_moved) {
  const std::string head = "head", body = "body";
  std::set<std::uint64_t> sums{checksum({head, body})};
  EXPECT_EQ(checksum({head, body}), *sums.begin());
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::string changed = head;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_TRUE(sums.insert(checksum({changed, body})).second) << bit;
    changed = body;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_TRUE(sums.insert(checksum({head, changed})).second) << bit;
  }
  EXPECT_TRUE(sums.insert(checksum({"headb", "ody"})).second);
  EXPECT_TRUE(sums.insert(checksum({"", "headbody"})).second);
  EXPECT_TRUE(sums.insert(checksum({"headbody"})).second);
}

TEST(Record, checksum_is_the_same_for_ever) {
  // What is on people's disks; of short, middle and long inputs, which XXH3 takes in different ways.
  EXPECT_EQ(checksum({"", ""}), 0xd0a66a65c7528968U);
  EXPECT_EQ(checksum({"head", "body"}), 0x8b43d03fad12b61aU);
  EXPECT_EQ(checksum({"head", std::string(200, 'b')}), 0xaa54a702355baabbU);
  EXPECT_EQ(checksum({"head", std::string(100'000, 'b')}), 0x191ee7f90b957859U);
}

}  // namespace
}  // namespace rockdove::inbox
