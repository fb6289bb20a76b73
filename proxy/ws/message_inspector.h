// Reading messages' content, for turn profiles that must: collecting a payload, looking into its
// JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connguard/types.h"
#include "ws/frame_scanner.h"
#include "ws/inflater.h"

namespace connguard {

// JsonInspector looks into texts. It takes what RFC 8259 calls JSON, numbers of any size and half
// surrogate pairs included, some 1,000 levels deep.
//
// Keeps its buffers between calls, but not those of a giant text (which takes some twelve times its
// size while it is read). Not thread-safe: one per worker.
class JsonInspector {
 public:
  JsonInspector();
  ~JsonInspector();
  JsonInspector(JsonInspector&&) noexcept;
  JsonInspector& operator=(JsonInspector&&) noexcept;

  // True when `text` is JSON whose value at `pointer` (RFC 6901) is a string that equals one of
  // `values`. Anything else is simply false. Of members of the same name the first counts.
  bool Matches(std::span<const std::uint8_t> text, std::string_view pointer,
               const std::vector<std::string>& values);

  enum class Kind : std::uint8_t { kObject, kOtherJson, kNotJson, kNotUtf8 };
  Kind Classify(std::span<const std::uint8_t> text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// MessageAssembler puts the payload of a message together from its pieces: unmasked, and inflated
// when the message is compressed. A message that is whole in one unmasked, uncompressed piece is
// not copied.
//
// Not thread-safe; one per direction, which must see all of that direction's messages.
class MessageAssembler {
 public:
  explicit MessageAssembler(Bytes message_size, const InflatePolicy& inflate = {})
      : message_size_(message_size), inflater_(inflate, message_size) {}

  // Takes a piece of kind kData. When it ends a message: the whole payload, valid until the next
  // call and as long as the piece's input. A message with a fault gives nothing.
  std::optional<std::span<const std::uint8_t>> Add(const Piece& piece);

  // What is wrong with the message that the last piece belongs to: longer than `message_size`, as
  // it came or inflated, or corrupt. After a fault in a compressed message no further one can be
  // read.
  InflateStatus fault() const { return fault_; }

  // Bytes of a message whose end is still to come.
  Bytes buffered() const { return payload_.size(); }

  // The payload is not needed any more: frees the memory of a long one.
  void Clear();

 private:
  InflateStatus AddPlain(const Piece& piece);
  InflateStatus AddCompressed(const Piece& piece);

  Bytes message_size_;
  Inflater inflater_;
  std::vector<std::uint8_t> payload_;
  InflateStatus fault_ = InflateStatus::kSound;
};

}  // namespace connguard
