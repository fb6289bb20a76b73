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
// A folder that is gone is looked for this often.
constexpr std::uint64_t kSearchMillis = 1'000;
constexpr int kMostLinks = 40;  // as the kernel follows them

// Kubernetes swaps the link `..data`. Empty: the system does not say what has changed.
bool IsSwap(std::string_view name) { return name.empty() || name == "..data"; }

std::filesystem::path FolderOf(const std::string& file) {
  return std::filesystem::absolute(file).parent_path();
}

using NamesInside = std::map<std::string, std::set<std::string, std::less<>>>;

// What `file` is reached by: itself in its folder, and every link on the way there. A link that is
// put in the place of another one changes the file, and nothing changes in the file's folder.
void AddWay(const std::filesystem::path& file, int links, NamesInside& names) {
  std::filesystem::path at;
  for (auto part = file.begin(); part != file.end(); ++part) {
    std::error_code error;
    const std::filesystem::path next = at / *part;
    if (links < kMostLinks && std::filesystem::is_symlink(next, error)) {
      names[at.string()].insert(part->string());
      std::filesystem::path target = at / std::filesystem::read_symlink(next, error);
      while (++part != file.end()) target /= *part;
      AddWay(target, links + 1, names);
      return;
    }
    at = next;
  }
  names[at.parent_path().string()].insert(at.filename().string());
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
  NamesInside names;
  for (const std::string& file : files) AddWay(std::filesystem::absolute(file), 0, names);
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
    bool lost = false;  // deleted or moved: what has its name now, if anything, is not watched

    // The system tells of the folder itself by its own name.
    bool IsItself(std::string_view name) const {
      return name == std::filesystem::path(watched.path).filename().string();
    }
  };

  uv_loop_t* loop;
  std::function<void()> changed;
  uv_timer_t quiet{};
  uv_timer_t search{};
  std::vector<Folder*> folders{};
  bool stopped = false;

  void Begin(WatchedFolder watched) {
    auto* const folder = new Folder{{}, std::move(watched), this};
    uv_fs_event_init(loop, &folder->handle);
    folder->handle.data = folder;
    folders.push_back(folder);
    if (const int status = Start(*folder); status != 0 && folder->watched.needed) {
      folder->lost = true;
      Log(LogLevel::kError, "watch_failed",
          {{"folder", folder->watched.path}, {"why", uv_strerror(status)}});
      uv_timer_start(&search, OnSearch, kSearchMillis, 0);
    }
  }

  static int Start(Folder& folder) {
    return uv_fs_event_start(&folder.handle, OnEvent, folder.watched.path.c_str(), 0);
  }

  static void OnEvent(uv_fs_event_t* self, const char* named, int what, int /*status*/) {
    auto& folder = *static_cast<Folder*>(self->data);
    const std::string_view name = named == nullptr ? "" : named;
    if ((what & UV_RENAME) != 0 && folder.IsItself(name)) {
      folder.lost = true;
    } else if (!folder.watched.matters(name)) {
      return;
    }
    folder.impl->Changes();
  }

  void Changes() {
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(&quiet)) != 0) return;
    uv_timer_start(
        &quiet,
        [](uv_timer_t* due) {
          auto& impl = *static_cast<Impl*>(due->data);
          impl.Search();
          impl.changed();
        },
        kQuietMillis, 0);
  }

  static void OnSearch(uv_timer_t* due) {
    auto& impl = *static_cast<Impl*>(due->data);
    if (impl.Search()) impl.Changes();
  }

  // For folders that are gone, until they are there again. True: one is.
  bool Search() {
    bool found = false;
    bool missing = false;
    for (Folder* const folder : folders) {
      if (!folder->lost) continue;
      uv_fs_event_stop(&folder->handle);
      folder->lost = Start(*folder) != 0;
      (folder->lost ? missing : found) = true;
    }
    if (missing) uv_timer_start(&search, OnSearch, kSearchMillis, 0);
    return found;
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
  uv_timer_init(loop, &impl_->search);
  impl_->search.data = impl_.get();
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
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->search), nullptr);
}

}  // namespace connguard
