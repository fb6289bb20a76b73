// ConfigWatch: tells when the configuration's file may have changed.
#pragma once

#include <functional>
#include <memory>
#include <string>

struct uv_loop_s;

namespace connguard {

// Watches the file's folder, not the file: editors and Kubernetes put a new file (or a new link) in
// the old one's place. Changes that come together are told once, a quarter of a second after the
// first. Where the folder cannot be watched, that is said in the log.
//
// Lives on the control thread.
class ConfigWatch {
 public:
  ConfigWatch(uv_loop_s* loop, const std::string& file, std::function<void()> changed);
  ~ConfigWatch();
  ConfigWatch(const ConfigWatch&) = delete;
  ConfigWatch& operator=(const ConfigWatch&) = delete;

  // Run the loop until it is empty before destroying.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connguard
