// What the control thread tells the admin endpoints and the metrics page of the process as a whole.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tls/tls_context.h"

namespace connguard {

enum class DrainState : std::uint8_t {
  kOff,
  kDelay,     // not ready any more, still accepting (shutdown.delay)
  kDraining,  // not accepting, ending tunnels (shutdown.drain)
};

// Written by the control thread, read by any. Lives as long as the admin endpoints.
class ProcessState {
 public:
  using Time = std::chrono::system_clock::time_point;

  std::atomic<DrainState> drain{DrainState::kOff};
  std::atomic<Time> drain_deadline{Time{}};  // when what is left is cut; epoch: not draining
  std::atomic<std::uint64_t> generation{1};  // of the configuration; counts applied reloads
  std::atomic<Time> loaded_at{Time{}};       // when that configuration was applied
  std::atomic<bool> last_reload_ok{true};
  std::atomic<std::uint64_t> reloads_applied{0};
  std::atomic<std::uint64_t> reloads_unchanged{0};
  std::atomic<std::uint64_t> reloads_rejected{0};
  std::atomic<std::uint64_t> certificate_failures{0};  // renewed files that could not be used

  // Of all listeners and upstreams.
  void SetCertificates(std::vector<CertificateInfo> certificates) {
    const std::lock_guard lock(mutex_);
    certificates_ = std::move(certificates);
  }
  std::vector<CertificateInfo> certificates() const {
    const std::lock_guard lock(mutex_);
    return certificates_;
  }

  // The first diagnostic of the last reload; empty when it was accepted.
  void SetReloadError(std::string error) {
    const std::lock_guard lock(mutex_);
    reload_error_ = std::move(error);
  }
  std::string reload_error() const {
    const std::lock_guard lock(mutex_);
    return reload_error_;
  }

 private:
  mutable std::mutex mutex_;
  std::string reload_error_;
  std::vector<CertificateInfo> certificates_;
};

}  // namespace connguard
