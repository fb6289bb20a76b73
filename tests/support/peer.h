// Peer: one end of a connection to the guard, on a bare socket that does exactly what a test says.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/socket.h"
#include "unit/ws/frames.h"

namespace connguard::testing {

// No single step of a test takes longer, whatever the machine does besides.
inline constexpr std::chrono::seconds kPatience{20};
// How long something is watched that must not happen.
inline constexpr std::chrono::milliseconds kMoment{60};

// A frame as it came.
struct WireFrame {
  std::uint8_t first = 0;  // FIN, RSV and opcode
  bool masked = false;
  std::string payload;  // unmasked
  std::string raw;

  std::uint8_t opcode() const { return first & 0x0F; }
  bool fin() const { return (first & 0x80) != 0; }
};

enum class PeerEnd : std::uint8_t { kFin, kReset };

// Blocking, with kPatience for each call; throws std::runtime_error, which ends the test, when that
// is over or the connection ends early. Not thread-safe.
class Peer {
 public:
  // `masks`: its frames are masked, as a client's must be.
  Peer(Fd fd, bool masks);

  int fd() const { return fd_.get(); }

  void Send(std::string_view bytes);
  // As many as the socket takes until it takes none for kMoment. Returns how many.
  std::size_t SendUntilStuck(std::string_view bytes);
  // The guard may end the connection at any of them: the rest is not sent then, and reading tells.
  void SendByteByByte(std::string_view bytes);
  std::string MakeFrame(FrameSpec spec, std::string_view payload) const;
  void SendText(std::string_view text) { Send(MakeFrame({.opcode = 1}, text)); }
  void SendBinary(std::string_view data) { Send(MakeFrame({.opcode = 2}, data)); }
  void SendPing(std::string_view payload) { Send(MakeFrame({.opcode = 9}, payload)); }
  void SendPong(std::string_view payload) { Send(MakeFrame({.opcode = 10}, payload)); }
  // Code 0: an empty Close frame.
  void SendClose(int code, std::string_view reason = "");

  std::string Read(std::size_t size);
  // Up to and including `mark`.
  std::string ReadThrough(std::string_view mark);
  WireFrame ReadFrame();
  // The payload of the next frame, which must be a text.
  std::string ReadText();
  // A Close frame's code (0: it was empty); its reason goes to `reason`.
  int ReadClose(std::string* reason = nullptr);
  // What has come, at least one byte; empty: the end.
  std::string ReadSome();
  // What is left, up to the end.
  std::string ReadToEnd(PeerEnd* end = nullptr);
  // True when nothing has come and nothing comes for `time`.
  bool Silent(std::chrono::milliseconds time = kMoment);

  // FIN; reading goes on.
  void Finish();
  // RST.
  void Reset();
  void Close() { fd_ = Fd(); }
  // Reads are answered late from now on: bytes that the kernel keeps for this end.
  void SetReceiveBuffer(int bytes);

 private:
  bool Fill(std::chrono::steady_clock::time_point deadline);

  Fd fd_;
  bool masks_;
  std::string input_;
  bool ended_ = false;
  bool reset_ = false;  // a send was told so
  PeerEnd end_ = PeerEnd::kFin;
};

// The socket of an address, connected. `receive_buffer` above 0 is set before connecting.
Fd ConnectTo(const Address& address, int receive_buffer = 0);

std::string CloseBody(int code, std::string_view reason);

}  // namespace connguard::testing
