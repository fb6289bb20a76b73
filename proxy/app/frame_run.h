// FrameRun: neighbouring pieces of one read, passed on in one send.
#pragma once

#include <cstdint>
#include <span>

namespace connguard {

// Collects views for as long as they adjoin. Pass: void(std::span<const std::uint8_t>).
template <typename Pass>
class FrameRun {
 public:
  explicit FrameRun(Pass pass) : pass_(pass) {}
  ~FrameRun() { Flush(); }
  FrameRun(const FrameRun&) = delete;
  FrameRun& operator=(const FrameRun&) = delete;

  void Add(std::span<const std::uint8_t> raw) {
    if (run_.data() + run_.size() == raw.data()) {
      run_ = {run_.data(), run_.size() + raw.size()};
      return;
    }
    Flush();
    run_ = raw;
  }

  void Flush() {
    if (!run_.empty()) pass_(run_);
    run_ = {};
  }

 private:
  Pass pass_;
  std::span<const std::uint8_t> run_;
};

}  // namespace connguard
