#include "net/certificate.hpp"

#include "support/certificates.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

namespace rockdove::net {
namespace {

using std::chrono::days;

class CertificateEnd : public testing::Test {
 protected:
  test::ScratchDirectory directory_;
};

TEST_F(CertificateEnd, is_that_of_the_first_certificate) {
  const test::Files own = test::own_certificate(directory_.path());
  const auto left = certificate_end(own.certificate) - std::chrono::system_clock::now();
  EXPECT_GT(left, days(30 * 365 - 2));
  EXPECT_LE(left, days(30 * 365 + 1));
}

TEST_F(CertificateEnd, of_a_bad_file_is_an_error_that_names_it) {
  const auto garbage = directory_.path() / "garbage.pem";
  std::ofstream(garbage) << "no PEM at all";
  for (const auto& file : {garbage, directory_.path() / "missing.pem"}) {
    try {
      certificate_end(file);
      ADD_FAILURE() << file;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace rockdove::net
