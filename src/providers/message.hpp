// One request as its provider means it: its places by name, its body opened.
#pragma once

#include "http/fields.hpp"
#include "providers/document.hpp"
#include "providers/envelope.hpp"
#include "providers/form.hpp"
#include "providers/scheme.hpp"
#include "providers/secrets.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::providers {

/// A request whose body is here whole.
struct RequestView {
  std::string_view method;
  /// The public URL as the caller used it: scheme, host, port if it wrote one, raw path and query.
  std::string_view url;
  const http::Fields& fields;
  std::string_view body;
};

/// What a place stands for that is in every element of a list: json:/events/*/id.
enum class Lists {
  unanimous,  ///< the one text that all of them have; absent if they differ, or one has none
  joined,     ///< all their texts with commas between them; absent if one has none
};

/// Looks into a request, each part parsed when first asked for. Made of foreign bytes: what is not there or
/// cannot be parsed is absent. Refers to what it was made of, which has to outlive it. Not for two threads.
class Message {
 public:
  Message(const Scheme& scheme, const Secrets& secrets, const RequestView& request);
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  const Scheme& scheme() const { return scheme_; }
  const Secrets& secrets() const { return secrets_; }
  const RequestView& request() const { return request_; }

  /// The text or number there; nothing if there is none.
  std::optional<std::string> value(const Place& place, Lists lists = Lists::unanimous) const;
  /// True if something other than null is there, also an object or a list.
  bool exists(const Place& place) const;
  bool holds(const Condition& condition) const;
  bool hold(const std::vector<Condition>& conditions) const;

  /// True if there is a ciphertext at one of the envelope's places.
  bool encrypted() const { return !ciphertext_.empty(); }
  /// What the envelope held; Error::malformed if it could not be opened with any of the secrets. Decrypts
  /// when first asked, so that verify() need not do it for a stranger.
  const Result<Opened>& opened() const;
  /// Which of the envelope's secrets opened it, counted from 0; 0 if none did, or there was nothing to open.
  std::size_t opened_with() const;
  /// verify() notes which of the secrets proved the request: an answer may have to be signed with the same.
  void note_proof(const std::string& secret) const { proof_ = &secret; }
  /// That one, among the values of secrets(); null before.
  const std::string* proof() const { return proof_; }
  /// The decrypted text, or the body if it came plain; empty if it could not be opened.
  std::string_view text() const;
  /// The form's pairs in the order they came; null if the body is none.
  const std::vector<FormPair>* form() const;

  /// Fills the holes of a shown_text; nothing if a place is empty.
  std::optional<std::string> render(const Template& parts, Lists lists = Lists::unanimous) const;

 private:
  void find_ciphertext();
  Result<Opened> open() const;
  const Document& opened_document() const;

  const Scheme& scheme_;
  const Secrets& secrets_;
  const RequestView request_;
  Document body_;
  std::string ciphertext_;
  const Place* ciphertext_at_ = nullptr;  // of the scheme's
  mutable std::optional<Result<Opened>> opened_;
  mutable std::size_t opened_with_ = 0;
  mutable const std::string* proof_ = nullptr;
  mutable std::optional<Document> opened_document_;
  mutable std::optional<std::optional<std::vector<FormPair>>> form_, query_;
};

}  // namespace rockdove::providers
