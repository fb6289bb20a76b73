// Inflater: reads compressed messages of one direction (permessage-deflate, RFC 7692).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "connguard/types.h"

namespace connguard {

// What the two sides agreed on for one direction.
struct InflatePolicy {
  int window_bits = 15;          // 8 to 15: a message refers back at most 2^window_bits bytes,
  bool context_takeover = true;  // also into the messages before it
};

enum class InflateStatus : std::uint8_t {
  kSound,
  kTooBig,   // the message is longer than allowed; no more of it was inflated
  kCorrupt,  // not deflate data, or a message that ends within a block
};

// Inflater takes messages piece by piece, as they come: the compressed one is not kept. A block
// with BFINAL ends nothing: what follows in the message, or in the next one, is read as a new
// stream. A reference beyond the window is corrupt, unless it is to what the same call put out.
//
// Pure; not thread-safe. A pointer until the first message; then 7 KiB and the window: 40 KiB with
// 15 window bits, 11 KiB with 12. Without context take-over nothing is kept between messages.
class Inflater {
 public:
  Inflater(const InflatePolicy& policy, Bytes message_size);
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;

  // Appends what the next piece of a message, unmasked, inflates to. `message`, empty before the
  // first piece, gets no longer than message_size. After an error every call gives that error.
  InflateStatus Add(std::span<const std::uint8_t> payload, std::vector<std::uint8_t>& message);
  // The message is complete: appends what is left of it.
  InflateStatus End(std::vector<std::uint8_t>& message);

 private:
  struct Stream;

  InflateStatus Run(std::span<const std::uint8_t> in, std::vector<std::uint8_t>& message);
  InflateStatus Append(std::span<const std::uint8_t> made, std::vector<std::uint8_t>& message);
  InflateStatus Fail(InflateStatus status);

  InflatePolicy policy_;
  InflateStatus status_ = InflateStatus::kSound;
  Bytes message_size_;
  std::unique_ptr<Stream> stream_;  // from the first message on
};

}  // namespace connguard
