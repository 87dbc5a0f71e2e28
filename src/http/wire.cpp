#include "http/wire.hpp"

#include <cstring>

namespace rockdove::http {

namespace {

constexpr std::size_t queue_max = 64 * 1024;

}  // namespace

Wire::Wire(net::Stream stream)
    : stream_(std::move(stream)),
      input_(first_size, '\0'),
      input_news_(stream_.executor()),
      read_limit_(net::Deadlines::of(stream_.executor().context()),
                  [this] {
                    read_timed_out_ = true;
                    input_news_.notify();
                  }),
      queue_done_(stream_.executor()),
      write_limit_(net::Deadlines::of(stream_.executor().context()), [this] {
        write_timed_out_ = true;
        reset();
      }) {}

void Wire::consume(std::size_t size) {
  begin_ += size;
  if (begin_ == end_ && !reading_) begin_ = end_ = 0;
}

Awaitable<Result<void>> Wire::more(net::Duration limit, std::size_t room) {
  const auto self = shared_from_this();
  watching_ = false;
  if (!reading_) {
    if (read_error_) co_return read_error_;
    if (begin_ > 0) {
      std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == input_.size()) {
      if (input_.size() >= room) co_return Error::header_too_large;
      was_filled_ = true;
    }
    if (std::exchange(was_filled_, false) && input_.size() < room)
      input_.resize(std::min(input_.size() * 4, room));
  }
  const std::uint64_t before = bytes_read_;
  start_read();
  read_timed_out_ = false;
  read_limit_.set(limit);
  while (bytes_read_ == before && !read_error_ && !read_timed_out_) co_await input_news_.wait();
  read_limit_.clear();
  if (bytes_read_ != before) co_return Result<void>{};
  if (read_error_) co_return read_error_;
  co_return Error::timed_out;
}

void Wire::watch(bool again) {
  watching_ = again;
  if (end_ < input_.size()) start_read();
}

void Wire::start_read() {
  if (reading_ || read_error_) return;
  reading_ = true;
  stream_.async_read_some(net::asio::buffer(input_.data() + end_, input_.size() - end_),
                          [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
                            self->on_read(error, size);
                          });
}

void Wire::on_read(boost::system::error_code error, std::size_t size) {
  reading_ = false;
  end_ += size;
  bytes_read_ += size;
  if (error) read_error_ = error == net::asio::error::eof ? make_error_code(Error::closed) : error;
  was_filled_ = end_ == input_.size();
  input_news_.notify();
  if (!error && watching_) watch(true);
  if (error && on_closed) on_closed();
}

Awaitable<Result<void>> Wire::write(Parts parts, net::Duration limit) {
  const auto self = shared_from_this();
  write_timed_out_ = false;
  write_limit_.set(limit);
  while (!queue_in_flight_.empty()) co_await queue_done_.wait();
  boost::system::error_code error;
  if (parts[1].empty() && parts[2].empty()) {  // most messages: one buffer is cheaper to send than a list
    auto [failure, written] = co_await stream_.async_write(net::asio::buffer(parts[0]), net::token);
    error = failure;
  } else {
    const std::array<net::asio::const_buffer, 3> buffers{
        net::asio::buffer(parts[0]), net::asio::buffer(parts[1]), net::asio::buffer(parts[2])};
    auto [failure, written] = co_await stream_.async_write(buffers, net::token);
    error = failure;
  }
  write_limit_.clear();
  if (write_timed_out_) co_return Error::timed_out;
  if (error) co_return error;
  co_return Result<void>{};
}

void Wire::write_soon(std::string bytes) {
  if (queue_.size() > queue_max) return;  // nobody reads them; an interim response may be left out
  queue_ += bytes;
  if (queue_in_flight_.empty()) start_queued_write();
}

void Wire::start_queued_write() {
  queue_in_flight_ = std::exchange(queue_, {});
  if (queue_in_flight_.empty()) return queue_done_.notify();
  stream_.async_write(net::asio::buffer(queue_in_flight_),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (error) self->queue_.clear();  // write() will meet the same error
                        self->start_queued_write();
                      });
}

void Wire::reset() {
  boost::system::error_code ignored;
  if (stream_.is_open()) stream_.tcp().set_option(net::asio::socket_base::linger(true, 0), ignored);
  stream_.close();
}

void Wire::shrink() {
  if (input_.size() <= 4 * first_size || reading_ || begin_ != end_) return;
  begin_ = end_ = 0;
  input_.resize(first_size);
  input_.shrink_to_fit();
}

}  // namespace rockdove::http
