// uv_fs_event on folders, and a timer that waits for quiet.
#include "app/file_watch.h"

#include <uv.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "log/log.h"

namespace connguard {

namespace {

constexpr std::uint64_t kQuietMillis = 250;

// Kubernetes swaps the link `..data`. Empty: the system does not say what has changed.
bool IsSwap(std::string_view name) { return name.empty() || name == "..data"; }

std::filesystem::path FolderOf(const std::string& file) {
  return std::filesystem::absolute(file).parent_path();
}

}  // namespace

std::vector<WatchedFolder> FoldersOfConfig(const std::string& file) {
  const std::filesystem::path folder = FolderOf(file);
  const std::string own = std::filesystem::path(file).filename().string();
  // A log in the same folder must neither cause reloads nor put one off.
  const auto matters = [own](std::string_view name) {
    return IsSwap(name) || name == own || name.ends_with(".yaml");
  };
  return {{folder.string(), matters, true}, {(folder / "profiles").string(), matters, false}};
}

std::vector<WatchedFolder> FoldersOfFiles(const std::vector<std::string>& files) {
  std::map<std::string, std::set<std::string, std::less<>>> names;
  for (const std::string& file : files) {
    names[FolderOf(file).string()].insert(std::filesystem::path(file).filename().string());
  }
  std::vector<WatchedFolder> folders;
  for (auto& [folder, inside] : names) {
    folders.push_back({folder,
                       [inside = std::move(inside)](std::string_view name) {
                         return IsSwap(name) || inside.contains(name);
                       },
                       true});
  }
  return folders;
}

struct FileWatch::Impl {
  // On the heap until libuv has closed its handle.
  struct Folder {
    uv_fs_event_t handle{};
    WatchedFolder watched;
    Impl* impl = nullptr;
  };

  uv_loop_t* loop;
  std::function<void()> changed;
  uv_timer_t quiet{};
  std::vector<Folder*> folders{};
  bool stopped = false;

  void Begin(WatchedFolder watched) {
    auto* const folder = new Folder{{}, std::move(watched), this};
    uv_fs_event_init(loop, &folder->handle);
    folder->handle.data = folder;
    folders.push_back(folder);
    const auto event = [](uv_fs_event_t* self, const char* name, int, int) {
      const auto* const one = static_cast<const Folder*>(self->data);
      if (!one->watched.matters(name == nullptr ? "" : name)) return;
      uv_timer_t& timer = one->impl->quiet;
      if (uv_is_active(reinterpret_cast<uv_handle_t*>(&timer)) != 0) return;
      uv_timer_start(
          &timer, [](uv_timer_t* due) { static_cast<Impl*>(due->data)->changed(); }, kQuietMillis,
          0);
    };
    const int status = uv_fs_event_start(&folder->handle, event, folder->watched.path.c_str(), 0);
    if (status != 0 && folder->watched.needed) {
      Log(LogLevel::kError, "watch_failed",
          {{"folder", folder->watched.path}, {"why", uv_strerror(status)}});
    }
  }

  void End() {
    for (Folder* folder : std::exchange(folders, {})) {
      uv_close(reinterpret_cast<uv_handle_t*>(&folder->handle),
               [](uv_handle_t* handle) { delete static_cast<Folder*>(handle->data); });
    }
  }
};

FileWatch::FileWatch(uv_loop_s* loop, std::function<void()> changed)
    : impl_(std::make_unique<Impl>(Impl{loop, std::move(changed)})) {
  uv_timer_init(loop, &impl_->quiet);
  impl_->quiet.data = impl_.get();
}

FileWatch::~FileWatch() = default;

void FileWatch::Watch(std::vector<WatchedFolder> folders) {
  if (impl_->stopped) return;
  impl_->End();
  for (WatchedFolder& folder : folders) impl_->Begin(std::move(folder));
}

void FileWatch::Stop() {
  if (std::exchange(impl_->stopped, true)) return;
  impl_->End();
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->quiet), nullptr);
}

}  // namespace connguard
