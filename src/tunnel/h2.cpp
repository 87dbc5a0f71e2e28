#include "tunnel/h2.hpp"

#include "tunnel/h2_callbacks.hpp"

#include <utility>

namespace rockdove::tunnel {

H2::H2(Role role, Options options, MakeStream make_stream)
    : options_(options),
      make_stream_(std::move(make_stream)),
      stream_window_(options.stream_window),
      link_window_(options.link_window) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::stream_closed);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::frame_not_sent);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::send_body);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, Callbacks::frame_room);
  nghttp2_session_callbacks_set_pack_extension_callback(callbacks, Callbacks::pack_note);
  nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, Callbacks::note_chunk);
  nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, Callbacks::unpack_note);

  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  // Header values must arrive byte for byte, and our metadata travels in pseudo-header fields of our
  // own; both ends parse HTTP/1.1 strictly, so nghttp2's own checks would only lose information.
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_max_send_header_block_length(option, 1024 * 1024);
  nghttp2_option_set_user_recv_extension_type(option, note_frame_type);
  nghttp2_option_set_max_continuations(option, 32);
  // Callers that go away cost one RST_STREAM each; the peer is authenticated, so this is no attack.
  nghttp2_option_set_stream_reset_rate_limit(option, 1'000'000, 1'000'000);

  if (role == Role::opener) nghttp2_session_client_new2(&session_, callbacks, this, option);
  else nghttp2_session_server_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);

  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window_},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, frame_bytes_max},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  };
  // ENABLE_PUSH is the client's to send, ENABLE_CONNECT_PROTOCOL the server's.
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings + (role == Role::opener ? 0 : 1), 4);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(link_window_));
}

H2::~H2() {
  if (options_.budget) options_.budget->used -= buffered_;
  nghttp2_session_del(session_);
}

Result<void> H2::feed(std::string_view bytes) {
  const ssize_t taken =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken != static_cast<ssize_t>(bytes.size())) return Error::protocol;
  return {};
}

Result<void> H2::take(std::string& out, std::size_t enough) {
  out_ = &out;
  enough_ = enough;
  while (out.size() < enough) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) return Error::protocol;
    if (size == 0) break;
    out.append(view(bytes, static_cast<std::size_t>(size)));
  }
  return {};
}

bool H2::wants_write() const {
  return nghttp2_session_want_write(session_) != 0;
}

std::vector<std::shared_ptr<H2Stream>> H2::take_changed() {
  for (const auto& stream : changed_) stream->in_changed_ = false;
  return std::exchange(changed_, {});
}

std::vector<std::string> H2::take_notes() {
  return std::exchange(notes_, {});
}

Result<void> H2::open(const std::shared_ptr<H2Stream>& stream, const HeadList& head, bool last) {
  if (peer_gone_ || !nghttp2_session_check_request_allowed(session_)) return Error::draining;
  const auto list = to_list(head, heads_sent_++);
  nghttp2_data_provider body{};
  body.source.ptr = stream.get();
  body.read_callback = Callbacks::body_length;
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, list.data(), list.size(),
                                                 last ? nullptr : &body, stream.get());
  if (id < 0) return Error::draining;
  stream->id = id;
  streams_.emplace(id, stream);
  return {};
}

void H2::respond(H2Stream& stream, const HeadList& head, bool final, bool last) {
  if (stream.closed) return;
  const auto list = to_list(head, heads_sent_++);
  if (!final) {
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id, nullptr, list.data(), list.size(),
                           nullptr);
    return;
  }
  nghttp2_data_provider body{};
  body.source.ptr = &stream;
  body.read_callback = Callbacks::body_length;
  nghttp2_submit_response(session_, stream.id, list.data(), list.size(), last ? nullptr : &body);
}

void H2::send(H2Stream& stream, std::string_view bytes, bool last) {
  if (stream.closed) return;
  stream.outbound = bytes;
  stream.outbound_last = last;
  stream.outbound_taken = bytes.empty();
  if (std::exchange(stream.deferred_, false)) nghttp2_session_resume_data(session_, stream.id);
}

void H2::consume(H2Stream& stream, std::size_t size) {
  release(stream, size);
  if (!stream.closed && !stream.remote_ended) nghttp2_session_consume_stream(session_, stream.id, size);
}

void H2::discard(H2Stream& stream) {
  stream.unwanted_ = true;
  if (!stream.inbound.empty()) stream.remote_ended = false;  // what is thrown away was not the end
  release(stream, stream.buffered_);
  stream.inbound.clear();
}

void H2::reset(H2Stream& stream, std::uint32_t code) {
  discard(stream);
  if (stream.closed) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, code);
  // The sender's memory may be gone by the time nghttp2 gets round to the frame.
  stream.outbound = {};
  stream.outbound_last = false;
  stream.outbound_taken = true;
  stream.closed = true;
}

void H2::ping(std::uint64_t opaque) {
  std::uint8_t bytes[8];
  std::memcpy(bytes, &opaque, sizeof bytes);
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, bytes);
}

std::optional<std::uint64_t> H2::take_ping_ack() {
  return std::exchange(ping_ack_, std::nullopt);
}

void H2::go_away(std::string_view why) {
  leaving_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, reinterpret_cast<const std::uint8_t*>(why.data()), why.size());
}

void H2::send_note(std::string text) {
  notes_out_.push_back(std::move(text));
  nghttp2_submit_extension(session_, note_frame_type, NGHTTP2_FLAG_NONE, 0, &notes_out_.back());
}

void H2::grow_windows(std::uint64_t bytes_in_rtt) {
  const bool stream_is_small = bytes_in_rtt * 3 > std::uint64_t{stream_window_} * 2;
  const bool has_memory = !options_.budget || options_.budget->used < options_.budget->limit / 2;
  if (!stream_is_small || !has_memory) return;
  if (stream_window_ < options_.stream_window_max) {
    stream_window_ = std::min(stream_window_ * 2, options_.stream_window_max);
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window_};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
  }
  if (link_window_ < options_.link_window_max) {
    link_window_ = std::min(link_window_ * 2, options_.link_window_max);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                          static_cast<std::int32_t>(link_window_));
  }
}

void H2::relax() {
  if (withheld_ == 0 || (options_.budget && options_.budget->used > options_.budget->limit)) return;
  nghttp2_session_consume_connection(session_, std::exchange(withheld_, 0));
}

void H2::mark(H2Stream& stream) {
  if (std::exchange(stream.in_changed_, true)) return;
  changed_.push_back(stream.shared_from_this());
}

void H2::received(H2Stream& stream, std::string_view bytes) {
  if (stream.closed || stream.unwanted_) {  // was on its way when we gave up: nobody will ever take it
    withheld_ += bytes.size();
    return relax();
  }
  stream.inbound.append(bytes);
  stream.buffered_ += bytes.size();
  buffered_ += bytes.size();
  if (options_.budget) options_.budget->used += bytes.size();
  // A stream is bounded by its own window; the link's credit goes back at once, so that one slow
  // reader does not stop the others, as long as the process as a whole keeps within its budget.
  withheld_ += bytes.size();
  relax();
  mark(stream);
}

void H2::release(H2Stream& stream, std::size_t size) {
  size = std::min(size, stream.buffered_);
  stream.buffered_ -= size;
  buffered_ -= size;
  if (options_.budget) options_.budget->used -= size;
  relax();
}

void H2::forget(H2Stream& stream, std::uint32_t code) {
  stream.closed = true;
  stream.reset_code = code;
  if (!stream.has_head_) discard(stream);  // a body without a head is nobody's
  stream.outbound = {};
  stream.outbound_taken = true;
  mark(stream);  // keeps it alive past the table
  last_ = nullptr;
  streams_.erase(stream.id);
}

std::vector<std::shared_ptr<H2Stream>> H2::drop_all() {
  auto dropped = take_changed();  // those that closed just now and nobody was told of
  last_ = nullptr;
  for (auto& [id, stream] : std::exchange(streams_, {})) {
    stream->closed = true;
    // A request that has not left yet is one that nobody has seen.
    if (nghttp2_session_find_stream(session_, id)) stream->cut = true;
    else stream->reset_code = refused_stream;
    stream->outbound = {};
    stream->outbound_taken = true;
    dropped.push_back(std::move(stream));
  }
  return dropped;
}

H2Stream* H2::find(std::int32_t id) {
  if (last_ && last_->id == id) return last_;  // a head comes field by field
  const auto found = streams_.find(id);
  last_ = found == streams_.end() ? nullptr : found->second.get();
  return last_;
}

}  // namespace rockdove::tunnel
