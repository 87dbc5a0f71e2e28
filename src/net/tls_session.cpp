#include "net/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <boost/asio/ssl/error.hpp>

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>

namespace rockdove::net {
namespace {

constexpr std::size_t room_first = 4 * 1024;    // a webhook; a quiet link holds no more
constexpr std::size_t replies_max = 16 * 1024;  // what a peer may make us say without being listened to
constexpr std::size_t room_max = 68 * 1024;     // four full records (RFC 8446 section 5.2) and their headers

}  // namespace

/// A BIO whose ends are the session's own buffers: no copy beyond OpenSSL's, no size limit on the way out.
struct TlsSession::Pipe {
  static TlsSession& of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    TlsSession& self = of(bio);
    BIO_clear_retry_flags(bio);
    const std::size_t count = std::min(self.end_ - self.begin_, static_cast<std::size_t>(size));
    if (count == 0) {
      if (self.is_cut_) return 0;
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(into, self.input_.data() + self.begin_, count);
    self.begin_ += count;
    if (self.begin_ == self.end_) self.begin_ = self.end_ = 0;
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    of(bio).output_.append(bytes, static_cast<std::size_t>(size));
    return size;
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return of(bio).is_cut_ ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rockdove");
      if (!fresh) throw std::bad_alloc();
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

TlsSession::TlsSession(TlsContext& context, Side side) : session_(SSL_new(context.native_handle())) {
  BIO* const pipe = session_ ? BIO_new(Pipe::method()) : nullptr;
  if (!pipe) {
    SSL_free(session_);
    throw std::bad_alloc();
  }
  BIO_set_data(pipe, this);
  BIO_set_init(pipe, 1);
  SSL_set_bio(session_, pipe, pipe);
  if (side == Side::server) SSL_set_accept_state(session_);
  else SSL_set_connect_state(session_);
}

TlsSession::~TlsSession() {
  SSL_free(session_);
}

Result<void> TlsSession::expect(const TlsTrust& trust, const std::string& host) {
  if (!check_peer(session_, trust, host))
    return boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
  return {};
}

Result<TlsSession::Step> TlsSession::handshake() {
  ERR_clear_error();
  const int code = SSL_do_handshake(session_);
  if (code == 1) return Step::done;
  return failure(code);
}

Result<TlsSession::Step> TlsSession::open(asio::mutable_buffer into, std::size_t& count) {
  count = 0;
  if (failure_) return failure_;
  ERR_clear_error();
  while (count < into.size()) {
    const std::size_t left = std::min<std::size_t>(into.size() - count, INT_MAX);
    const int code = SSL_read(session_, static_cast<char*>(into.data()) + count, static_cast<int>(left));
    if (code > 0) {
      count += static_cast<std::size_t>(code);
      continue;
    }
    auto step = failure(code);
    // Replies to key updates wait for the next write. A peer that asks for hundreds meanwhile means no good.
    if (output_.size() > replies_max) step = Error::protocol;
    if (count == 0) return step;
    if (!step) failure_ = step.error();  // told at the next call: the good bytes come first
    break;
  }
  return Step::done;
}

Result<void> TlsSession::seal(asio::const_buffer bytes) {
  if (bytes.size() == 0) return {};
  ERR_clear_error();
  const int code = SSL_write(session_, bytes.data(), static_cast<int>(bytes.size()));
  if (code > 0) return {};
  auto step = failure(code);
  return step ? asio::error::broken_pipe : step.error();
}

void TlsSession::seal_end() {
  SSL_shutdown(session_);
  ERR_clear_error();
}

Result<TlsSession::Step> TlsSession::failure(int code) {
  switch (SSL_get_error(session_, code)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return Step::starved;
    case SSL_ERROR_ZERO_RETURN: return Step::ended;
    default: break;
  }
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const bool is_cut = is_cut_ || ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (error == 0 || is_cut) return asio::ssl::error::stream_truncated;
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return Error::untrusted_server;
  return boost::system::error_code(static_cast<int>(error), asio::error::get_ssl_category());
}

asio::mutable_buffer TlsSession::room() {
  if (input_.empty()) input_.resize(room_first);
  if (begin_ > 0) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == input_.size()) input_.resize(2 * input_.size());
  return asio::buffer(input_.data() + end_, input_.size() - end_);
}

void TlsSession::arrived(std::size_t count) {
  end_ += count;
  // It was full: the next read would have brought more.
  if (end_ == input_.size() && input_.size() < room_max) input_.resize(std::min(4 * input_.size(), room_max));
}

void TlsSession::cut() {
  is_cut_ = true;
}

void TlsSession::take_output(std::string& into) {
  into.clear();
  std::swap(into, output_);
}

}  // namespace rockdove::net
