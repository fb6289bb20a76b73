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

  // `rest`: what is left of the read behind `raw`. A header that was split over reads is no part of
  // this one: it lives in the scanner, until that looks at the next, and cannot wait.
  void Add(std::span<const std::uint8_t> raw, std::span<const std::uint8_t> rest) {
    if (run_.data() + run_.size() == raw.data()) {
      run_ = {run_.data(), run_.size() + raw.size()};
    } else {
      Flush();
      run_ = raw;
    }
    if (raw.data() + raw.size() != rest.data()) Flush();
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
