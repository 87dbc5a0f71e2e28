#include "http/lines.hpp"
#include "http/parser.hpp"

#include <algorithm>

namespace rockdove::http {
namespace {

constexpr std::uint32_t digits_max = 16;  // what fits a size of 64 bits
constexpr std::uint32_t extension_bytes_max = 256;

/// The value of a hexadecimal digit, or -1.
int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool is_trailer_name(std::string_view name) noexcept {
  return !iequals(name, "content-length") && !iequals(name, "transfer-encoding") && !iequals(name, "host");
}

Result<ChunkedDecoder::Step> ChunkedDecoder::feed(std::string_view bytes) {
  Step step;
  while (step.consumed < bytes.size() && state_ != State::done) {
    const std::string_view rest = bytes.substr(step.consumed);
    if (state_ == State::data) {
      if (!step.data.empty()) break;  // a step carries one piece
      step.data = rest.substr(0, std::min<std::uint64_t>(left_, rest.size()));
      step.consumed += step.data.size();
      left_ -= step.data.size();
      if (left_ == 0) state_ = State::data_cr;
    } else if (state_ == State::trailers) {
      const Result<std::size_t> taken = take_trailers(rest);
      if (!taken) return taken.error();
      step.consumed += *taken;
    } else {
      if (!take_frame_byte(rest.front())) return Error::malformed;
      ++step.consumed;
    }
  }
  step.finished = state_ == State::done;
  return step;
}

bool ChunkedDecoder::take_frame_byte(char c) noexcept {
  switch (state_) {
    case State::size:
      if (const int digit = hex_value(c); digit >= 0) {
        left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
        return ++length_ <= digits_max;
      }
      if (length_ == 0 || (c != ';' && c != '\r')) return false;
      state_ = c == ';' ? State::extension : State::size_lf;
      length_ = 1;  // of the extension: its semicolon
      return true;
    case State::extension:  // of no use to anybody: checked and dropped (section 7.1.1)
      if (c == '\r') state_ = State::size_lf;
      else if ((detail::is_control(c) && c != '\t') || ++length_ > extension_bytes_max) return false;
      return true;
    case State::size_lf:
      state_ = left_ == 0 ? State::trailers : State::data;
      length_ = 0;
      return c == '\n';
    case State::data_cr: state_ = State::data_lf; return c == '\r';
    case State::data_lf: state_ = State::size; return c == '\n';
    default: return false;
  }
}

Result<std::size_t> ChunkedDecoder::take_trailers(std::string_view rest) {
  if (trailer_text_.empty() && rest.starts_with("\r\n")) {  // nearly always
    state_ = State::done;
    return 2;
  }
  const std::size_t before = trailer_text_.size();
  trailer_text_.append(rest.substr(0, limits_.header_bytes - before));
  const Result<std::size_t> end = detail::find_section_end(trailer_text_, 0, trailer_scanned_);
  if (!end) return end.error();
  if (*end == 0 && trailer_text_.size() == limits_.header_bytes) return Error::header_too_large;
  if (*end == 0) return trailer_text_.size() - before;
  std::string_view lines(trailer_text_.data(), *end);
  Fields::Field field;
  while (lines != "\r\n") {
    if (!detail::cut_field(lines, field) || !is_trailer_name(field.name)) return Error::malformed;
    if (trailers_.size() == limits_.fields) return Error::header_too_large;
    trailers_.add(field.name, field.value);
  }
  trailer_text_.clear();
  state_ = State::done;
  return *end - before;
}

}  // namespace rockdove::http
