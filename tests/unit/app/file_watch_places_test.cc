// What a watch on files notices: links that are put elsewhere, folders that are put in place anew.
#include <gtest/gtest.h>
#include <unistd.h>
#include <uv.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "app/file_watch.h"

namespace connguard {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPatienceMillis = 10'000;

class FileWatchPlacesTest : public testing::Test {
 protected:
  FileWatchPlacesTest() {
    uv_loop_init(&loop_);
    uv_timer_init(&loop_, &patience_);
    patience_.data = this;
    std::string name = fs::temp_directory_path() / "connguard-watch-XXXXXX";
    folder_ = mkdtemp(name.data());
    watch_ = std::make_unique<FileWatch>(&loop_, [this] {
      told_ = true;
      uv_stop(&loop_);
    });
  }
  ~FileWatchPlacesTest() override {
    watch_->Stop();
    uv_close(reinterpret_cast<uv_handle_t*>(&patience_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    watch_.reset();
    EXPECT_EQ(uv_loop_close(&loop_), 0);
    fs::remove_all(folder_);
  }

  static void Write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void Watch(const fs::path& file) { watch_->Watch(FoldersOfFiles({file.string()})); }
  // False: not told in time.
  bool Told() {
    told_ = false;
    uv_update_time(&loop_);
    uv_timer_start(&patience_, [](uv_timer_t* due) { uv_stop(due->loop); }, kPatienceMillis, 0);
    uv_run(&loop_, UV_RUN_DEFAULT);
    return told_;
  }

  uv_loop_t loop_{};
  uv_timer_t patience_{};
  fs::path folder_;
  bool told_ = false;
  std::unique_ptr<FileWatch> watch_;
};

TEST_F(FileWatchPlacesTest, AFileIsReplaced) {
  Write(folder_ / "a.crt", "old");
  Watch(folder_ / "a.crt");
  Write(folder_ / "new", "new");
  fs::rename(folder_ / "new", folder_ / "a.crt");
  EXPECT_TRUE(Told());
}

TEST_F(FileWatchPlacesTest, ALinkOnTheWayLeadsElsewhere) {
  Write(folder_ / "1" / "a.crt", "old");
  Write(folder_ / "2" / "a.crt", "new");
  fs::create_symlink("1", folder_ / "current");
  Watch(folder_ / "current" / "a.crt");
  fs::create_symlink("2", folder_ / "next");
  fs::rename(folder_ / "next", folder_ / "current");
  EXPECT_TRUE(Told());
}

TEST_F(FileWatchPlacesTest, TheFileBehindALinkIsWritten) {
  Write(folder_ / "there" / "a.crt", "old");
  Write(folder_ / "here" / "nothing", "");
  fs::create_symlink("../there/a.crt", folder_ / "here" / "a.crt");
  Watch(folder_ / "here" / "a.crt");
  Write(folder_ / "there" / "a.crt", "new");
  EXPECT_TRUE(Told());
}

TEST_F(FileWatchPlacesTest, AFolderIsDeletedAndMadeAnew) {
  Write(folder_ / "tls" / "a.crt", "old");
  Watch(folder_ / "tls" / "a.crt");
  fs::remove_all(folder_ / "tls");
  EXPECT_TRUE(Told());
  Write(folder_ / "tls" / "a.crt", "new");
  EXPECT_TRUE(Told());
  Write(folder_ / "tls" / "a.crt", "newer");
  EXPECT_TRUE(Told());
}

TEST_F(FileWatchPlacesTest, AFolderIsPutInThePlaceOfAnother) {
  Write(folder_ / "tls" / "a.crt", "old");
  Write(folder_ / "next" / "a.crt", "new");
  Watch(folder_ / "tls" / "a.crt");
  fs::rename(folder_ / "tls", folder_ / "old");
  fs::rename(folder_ / "next", folder_ / "tls");
  EXPECT_TRUE(Told());
  Write(folder_ / "tls" / "a.crt", "newer");
  EXPECT_TRUE(Told());
}

}  // namespace
}  // namespace connguard
