// uv_fs_event on folders, and a timer that waits for quiet.
#include "app/config_watch.h"

#include <uv.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "log/log.h"

namespace connguard {

namespace {

constexpr std::uint64_t kQuietMillis = 250;

}  // namespace

struct ConfigWatch::Impl {
  std::function<void()> changed;
  uv_timer_t quiet{};
  std::array<uv_fs_event_t, 2> folders{};  // the file's, and the profiles' beside it
  std::string file;                        // its name in the folder
  bool stopped = false;

  // Kubernetes swaps the link `..data`. Empty: the system does not say what has changed.
  bool Matters(std::string_view name) const {
    return name.empty() || name == file || name == "..data" || name.ends_with(".yaml");
  }

  void Watch(uv_fs_event_t& handle, const std::string& folder, bool needed) {
    const auto event = [](uv_fs_event_t* self, const char* name, int, int) {
      auto* const impl = static_cast<Impl*>(self->data);
      // A log in the same folder must neither cause reloads nor put one off.
      if (!impl->Matters(name == nullptr ? "" : name)) return;
      if (uv_is_active(reinterpret_cast<uv_handle_t*>(&impl->quiet)) != 0) return;
      uv_timer_start(
          &impl->quiet, [](uv_timer_t* timer) { static_cast<Impl*>(timer->data)->changed(); },
          kQuietMillis, 0);
    };
    const int status = uv_fs_event_start(&handle, event, folder.c_str(), 0);
    if (status != 0 && needed) {
      Log(LogLevel::kError, "watch_failed", {{"folder", folder}, {"why", uv_strerror(status)}});
    }
  }
};

ConfigWatch::ConfigWatch(uv_loop_s* loop, const std::string& file, std::function<void()> changed)
    : impl_(std::make_unique<Impl>()) {
  impl_->changed = std::move(changed);
  impl_->file = std::filesystem::path(file).filename().string();
  uv_timer_init(loop, &impl_->quiet);
  impl_->quiet.data = impl_.get();
  for (uv_fs_event_t& handle : impl_->folders) {
    uv_fs_event_init(loop, &handle);
    handle.data = impl_.get();
  }
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  impl_->Watch(impl_->folders[0], folder.string(), true);
  impl_->Watch(impl_->folders[1], (folder / "profiles").string(), false);
}

ConfigWatch::~ConfigWatch() = default;

void ConfigWatch::Stop() {
  if (std::exchange(impl_->stopped, true)) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->quiet), nullptr);
  for (uv_fs_event_t& handle : impl_->folders) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
  }
}

}  // namespace connguard
