// Frames of WebSockets (RFC 6455 §5.2): those that the generator and its origin exchange.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace connguard::bench {

enum class Opcode : std::uint8_t { kText = 1, kClose = 8, kPing = 9, kPong = 10 };

enum class Sender { kClient, kServer };  // the frames of a client are masked

// One whole frame. A client's mask is always the same: nothing here is in need of a secret.
std::string MakeFrame(Sender sender, Opcode opcode, std::string_view payload);

// Masks or unmasks; `offset`: where in its frame's payload `bytes` begins.
void Mask(std::span<char> bytes, std::size_t offset = 0);

// Reads the frames that one side sends. Fragments and unknown opcodes are faults, which stay.
class FrameReader {
 public:
  explicit FrameReader(Sender sender = Sender::kServer) : sender_(sender) {}

  // Takes bytes off `input`, at most to the end of a frame. True: there is a whole one, until the
  // next call.
  bool Next(std::string_view& input);

  Opcode opcode() const { return static_cast<Opcode>(head_[0] & 0x0f); }
  std::string_view payload() const { return payload_; }  // unmasked
  std::string_view fault() const { return fault_; }      // empty: none

 private:
  void TakeHead(std::string_view& input);
  std::size_t HeadSize() const;  // as far as it is known yet
  void OnHead();

  Sender sender_;
  std::string_view fault_;
  std::array<unsigned char, 14> head_{};
  std::size_t head_size_ = 0;  // of the part that is there
  bool in_payload_ = false;
  std::size_t size_ = 0;  // of the whole payload
  std::string payload_;
};

}  // namespace connguard::bench
