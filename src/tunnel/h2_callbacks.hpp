// What nghttp2 tells a session: included by h2.cpp alone.
#pragma once

#include "tunnel/h2.hpp"

#include <nghttp2/nghttp2.h>
#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <cstring>

namespace rockdove::tunnel {

inline constexpr std::uint32_t frame_bytes_max = 32 * 1024;

inline std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

inline nghttp2_nv to_nv(const http::Fields::Field& field, std::uint8_t flags) {
  // Pseudo-header fields have literals for names, in lower case.
  if (field.name.starts_with(':')) flags |= NGHTTP2_NV_FLAG_NO_COPY_NAME;
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data())), field.name.size(),
          field.value.size(), flags};
}

/// Fields whose values change with every message: in the peer's table they would only push useful ones out,
/// and each search of the table for one of them would pass all the others.
inline bool is_unique(std::string_view name) {
  switch (name.size()) {
    case 6: return name == ":rd-id";
    case 8: return name == ":rd-time";
    case 9: return name == ":rd-trace";
    case 11: return http::iequals(name, "traceparent");
    case 12: return http::iequals(name, "x-request-id");
    default: return false;
  }
}

/// The names of ours among them should be in the table all the same: one head in so many has them without a
/// value as well, which says nothing.
inline constexpr std::uint32_t heads_a_name = 64;

using NvList = boost::container::small_vector<nghttp2_nv, 24>;

/// `sent`: how many heads went before it.
inline NvList to_list(const H2::HeadList& head, std::uint32_t sent) {
  const bool has_names = sent % heads_a_name == 0;
  NvList list;
  for (const auto& field : head) {
    const bool changes = is_unique(field.name);
    if (changes && has_names && field.name.starts_with(':'))
      list.push_back(to_nv({field.name, {}}, NGHTTP2_NV_FLAG_NONE));
    list.push_back(to_nv(field, changes ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE));
  }
  return list;
}

/// nghttp2's callbacks. They only note what happened; nothing here calls back into the session but
/// what its documentation allows (credit, trailers).
struct H2::Callbacks {
  static H2& self(void* user) { return *static_cast<H2*>(user); }

  static constexpr std::size_t heads_max = 32;  ///< of one stream that nobody has looked at yet

  static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    H2& h2 = self(user);
    const std::int32_t id = frame->hd.stream_id;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      // Our GOAWAY, perhaps not on its way yet, tells the peer that this one was not looked at.
      if (h2.leaving_)
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
      auto stream = h2.make_stream_();
      stream->id = id;
      nghttp2_session_set_stream_user_data(session, id, stream.get());
      h2.streams_.emplace(id, std::move(stream));
    }
    if (H2Stream* stream = h2.find(id)) {
      stream->arriving_ = {};
      stream->arriving_.reserve(20, 640);
    }
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                    void* user) {
    H2& h2 = self(user);
    H2Stream* stream = h2.find(frame->hd.stream_id);
    if (!stream) return 0;
    stream->head_bytes_ += name_size + value_size + 32;
    if (stream->head_bytes_ > h2.options_.head_bytes_max)
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // resets it
    stream->arriving_.add(view(name, name_size), view(value, value_size));
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2& h2 = self(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: {
        H2Stream* stream = h2.find(frame->hd.stream_id);
        if (!stream) return 0;
        // Nobody takes so many at a time: they would only fill memory.
        if (stream->heads.size() > heads_max) {
          nghttp2_submit_rst_stream(h2.session_, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                    NGHTTP2_ENHANCE_YOUR_CALM);
          return 0;
        }
        if (stream->has_head_) {
          stream->trailers = std::move(stream->arriving_);
        } else {
          const auto status = stream->arriving_.get(":status");
          // Interim ones come before an answer only; a request has one head.
          const bool is_request = frame->headers.cat == NGHTTP2_HCAT_REQUEST;
          stream->has_head_ = is_request || !status || !status->starts_with('1') || *status == "101";
          stream->heads.push_back(std::move(stream->arriving_));
          stream->bodiless = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
        }
        stream->head_bytes_ = 0;
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) stream->remote_ended = true;
        h2.mark(*stream);
        break;
      }
      case NGHTTP2_DATA:
        if (H2Stream* stream = h2.find(frame->hd.stream_id);
            stream && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
          stream->remote_ended = true;
          h2.mark(*stream);
        }
        break;
      case NGHTTP2_PING:
        if (frame->hd.flags & NGHTTP2_FLAG_ACK) {
          std::uint64_t opaque = 0;
          std::memcpy(&opaque, frame->ping.opaque_data, sizeof opaque);
          h2.ping_ack_ = opaque;
        }
        break;
      case NGHTTP2_GOAWAY:
        h2.peer_gone_ =
            view(frame->goaway.opaque_data, std::min<std::size_t>(frame->goaway.opaque_data_len, 256));
        break;
      case note_frame_type:
        h2.notes_.push_back(std::move(h2.note_arriving_));
        h2.note_arriving_.clear();
        break;
      default: break;
    }
    return 0;
  }

  static int data_chunk(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                        std::size_t size, void* user) {
    H2& h2 = self(user);
    h2.data_received_ += size;
    if (H2Stream* stream = h2.find(id)) h2.received(*stream, view(data, size));
    else nghttp2_session_consume_connection(h2.session_, size);
    return 0;
  }

  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    H2& h2 = self(user);
    if (H2Stream* stream = h2.find(id)) h2.forget(*stream, code);
    return 0;
  }

  static int frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    H2& h2 = self(user);
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    H2Stream* stream = h2.find(frame->hd.stream_id);
    if (!stream) return 0;
    const bool is_request = frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    h2.forget(*stream, is_request ? refused_stream : internal_error);
    return 0;
  }

  static ssize_t body_length(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t room,
                             std::uint32_t* flags, nghttp2_data_source* source, void* user) {
    auto& stream = *static_cast<H2Stream*>(source->ptr);
    if (stream.outbound.empty() && !stream.outbound_last) {
      stream.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    const std::size_t size = std::min(room, stream.outbound.size());
    if (stream.outbound_last && size == stream.outbound.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream.outbound_trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        HeadList head;
        for (const auto field : stream.outbound_trailers) head.push_back(field);
        const auto list = to_list(head, self(user).heads_sent_++);
        nghttp2_submit_trailer(session, id, list.data(), list.size());
      }
    }
    return static_cast<ssize_t>(size);
  }

  static int send_body(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_header, std::size_t size,
                       nghttp2_data_source* source, void* user) {
    H2& h2 = self(user);
    auto& stream = *static_cast<H2Stream*>(source->ptr);
    h2.out_->append(view(frame_header, 9));
    h2.out_->append(stream.outbound.substr(0, size));
    stream.outbound.remove_prefix(size);
    if (stream.outbound.empty() && !stream.outbound_taken) {
      stream.outbound_taken = true;
      h2.mark(stream);
    }
    // Without a pause nghttp2 would go on to the next body, and the next, before it returns.
    return h2.out_->size() >= h2.enough_ ? NGHTTP2_ERR_PAUSE : 0;
  }

  static ssize_t frame_room(nghttp2_session*, std::uint8_t, std::int32_t, std::int32_t link_window,
                            std::int32_t stream_window, std::uint32_t remote_frame_max, void*) {
    const auto window = static_cast<std::uint32_t>(std::min(link_window, stream_window));
    return std::min({window, remote_frame_max, frame_bytes_max});
  }

  static ssize_t pack_note(nghttp2_session*, std::uint8_t* into, std::size_t room, const nghttp2_frame* frame,
                           void* user) {
    H2& h2 = self(user);
    const auto* text = static_cast<const std::string*>(frame->ext.payload);
    const std::string note = *text;
    h2.notes_out_.pop_front();  // frames leave in the order in which they were queued
    if (note.size() > room) return NGHTTP2_ERR_CANCEL;
    std::memcpy(into, note.data(), note.size());
    return static_cast<ssize_t>(note.size());
  }

  static int note_chunk(nghttp2_session*, const nghttp2_frame_hd*, const std::uint8_t* data, std::size_t size,
                        void* user) {
    self(user).note_arriving_.append(view(data, size));
    return 0;
  }

  static int unpack_note(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) { return 0; }
};

}  // namespace rockdove::tunnel
