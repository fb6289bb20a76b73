// What a stream asked of its session, in a form that does not depend on how its input was cut.
#pragma once

#include <algorithm>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/client_stream.h"
#include "app/upstream_stream.h"
#include "ws/frames.h"

namespace connguard::testing {

inline constexpr int kNoLimit = std::numeric_limits<int>::max();

// Bytes that were passed on in several calls without anything between them are one entry.
class Record {
 public:
  void Pass(std::span<const std::uint8_t> frames) {
    ++passes_;
    passed_.insert(passed_.end(), frames.begin(), frames.end());
    if (entries_.empty() || !entries_.back().starts_with(kBytes)) entries_.emplace_back(kBytes);
    entries_.back().append(frames.begin(), frames.end());
  }
  void Note(std::string entry) { entries_.push_back(std::move(entry)); }

  const std::vector<std::string>& entries() const { return entries_; }
  // Everything that was passed on.
  const Octets& passed() const { return passed_; }
  // The calls that it took.
  int passes() const { return passes_; }

  static std::string Bytes(const Octets& frames) {
    return std::string(kBytes) + std::string(frames.begin(), frames.end());
  }
  static std::string Control(Opcode opcode, std::string_view payload) {
    return "control " + std::to_string(static_cast<int>(opcode)) + " " + std::string(payload);
  }
  static std::string Violation(CloseCause cause) {
    return "violation " + std::string(Describe(cause).word);
  }

 private:
  static constexpr std::string_view kBytes = "bytes ";

  std::vector<std::string> entries_;
  Octets passed_;
  int passes_ = 0;
};

inline std::string_view Text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ClientRecord final : public ClientStreamSink {
 public:
  bool MayBegin() noexcept override { return open > 0; }
  void MessageBegun() noexcept override {
    --open;
    ++begun;
    if (note_begins) record.Note("begin");
  }
  void ToUpstream(std::span<const std::uint8_t> frames) noexcept override { record.Pass(frames); }
  bool ClientControl(Opcode opcode, std::span<const std::uint8_t> payload, const MaskKey& /*key*/,
                     bool last) noexcept override {
    nothing_behind = last;
    record.Note(Record::Control(opcode, Text(payload)));
    return !(opcode == Opcode::kClose && stop_at_close);
  }
  void ClientViolation(CloseCause cause, std::string_view why) noexcept override {
    record.Note(Record::Violation(cause));
    violated = true;
    violation_why = why;
  }

  Record record;
  int open = kNoLimit;  // messages that may begin
  int begun = 0;
  // All messages of one run are announced before its bytes: where depends on the reads.
  bool note_begins = true;
  bool stop_at_close = false;
  bool nothing_behind = false;  // the last control frame, in its read
  bool violated = false;
  std::string violation_why;
};

class UpstreamRecord final : public UpstreamStreamSink {
 public:
  void ToClient(std::span<const std::uint8_t> frames) noexcept override { record.Pass(frames); }
  void AtBoundary() noexcept override { record.Note("boundary"); }
  void UpstreamAnswer(bool matched) noexcept override {
    answers.push_back(matched);
    if (matched) record.Note("matched");
  }
  bool UpstreamControl(Opcode opcode, std::span<const std::uint8_t> payload) noexcept override {
    record.Note(Record::Control(opcode, Text(payload)));
    return !(opcode == Opcode::kClose && stop_at_close);
  }
  void UpstreamViolation(CloseCause cause, std::string_view why) noexcept override {
    record.Note(Record::Violation(cause));
    violated = true;
    violation_why = why;
  }

  Record record;
  std::vector<bool> answers;
  bool stop_at_close = false;
  bool violated = false;
  std::string violation_why;
};

// Random frames of whole messages, control frames between them and between their fragments, and
// sometimes one bit that is wrong.
class RandomFrames {
 public:
  RandomFrames(std::uint32_t seed, bool masked) : random_(seed), masked_(masked) {}

  int Below(int bound) { return std::uniform_int_distribution(0, bound - 1)(random_); }

  Octets Make() {
    Octets bytes;
    const int messages = Below(6);
    for (int i = 0; i < messages; ++i) bytes = std::move(bytes) + Message();
    if (Below(3) == 0 && !bytes.empty()) {
      const auto at = static_cast<std::size_t>(Below(static_cast<int>(bytes.size())));
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1 << Below(8)));
    }
    return bytes;
  }

  // Cuts `bytes` into reads of 1 to `longest` bytes, each in memory of its own.
  template <typename Stream, typename Sink>
  void Feed(Stream& stream, const Sink& sink, std::span<const std::uint8_t> bytes, int longest) {
    while (!bytes.empty() && !sink.violated) {
      const auto size = std::min(bytes.size(), static_cast<std::size_t>(1 + Below(longest)));
      const Octets read(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      stream.Feed(read);
      bytes = bytes.subspan(size);
    }
  }

 private:
  MaskKey Key() {
    MaskKey key;
    for (std::uint8_t& byte : key) byte = static_cast<std::uint8_t>(Below(256));
    return key;
  }

  Octets Message() {
    static constexpr std::string_view kPayloads[] = {
        "",      "{}",   R"({"type":"chat"})", R"({"type":"chat_token","content":"so"})",
        "[1,2]", "true", "{\"type\":"};
    Octets bytes;
    const std::string payload =
        Below(4) == 0 ? std::string(static_cast<std::size_t>(Below(400)), 'x')
                      : std::string(kPayloads[Below(static_cast<int>(std::size(kPayloads)))]);
    const int fragments = Below(2) == 0 ? 1 : 1 + Below(4);
    const auto opcode = static_cast<std::uint8_t>(Below(4) == 0 ? 2 : 1);
    std::size_t at = 0;
    for (int i = 0; i < fragments; ++i) {
      const bool last = i + 1 == fragments;
      const std::size_t size =
          last ? payload.size() - at
               : static_cast<std::size_t>(Below(static_cast<int>(payload.size() - at) + 1));
      bytes = std::move(bytes) + Frame({.opcode = i == 0 ? opcode : std::uint8_t{0},
                                        .fin = last,
                                        .masked = masked_,
                                        .key = Key()},
                                       std::string_view(payload).substr(at, size));
      at += size;
      while (Below(3) == 0) {
        bytes = std::move(bytes) + Frame({.opcode = static_cast<std::uint8_t>(9 + Below(2)),
                                          .masked = masked_,
                                          .key = Key()},
                                         Octets(static_cast<std::size_t>(Below(126)), 'p'));
      }
    }
    return bytes;
  }

  std::mt19937 random_;
  bool masked_;
};

}  // namespace connguard::testing
