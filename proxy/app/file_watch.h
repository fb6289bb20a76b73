// FileWatch: tells when files may have changed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct uv_loop_s;

namespace connguard {

// Folders, not files: editors and Kubernetes put a new file (or a new link) in the old one's place.
struct WatchedFolder {
  std::string path{};
  std::function<bool(std::string_view name)> matters{};  // of the name's change inside
  bool needed = true;  // that it cannot be watched is said in the log
};

// The configuration `file`: itself, and profiles in its folder and in `profiles` beside it.
std::vector<WatchedFolder> FoldersOfConfig(const std::string& file);
// `files`, wherever they are, and the links that lead to them now.
std::vector<WatchedFolder> FoldersOfFiles(const std::vector<std::string>& files);

// Changes that come together are told once, a quarter of a second after the first. A folder that is
// deleted or moved is watched again when there is one of its name.
//
// Lives on the control thread.
class FileWatch {
 public:
  FileWatch(uv_loop_s* loop, std::function<void()> changed);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Instead of those before.
  void Watch(std::vector<WatchedFolder> folders);

  // Run the loop until it is empty before destroying.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connguard
