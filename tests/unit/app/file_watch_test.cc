// FileWatch: on a real loop and a real file system.
#include "app/file_watch.h"

#include <gtest/gtest.h>
#include <uv.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

#include "support/test_certificates.h"

namespace connguard::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPatienceMillis = 10'000;

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    uv_timer_init(&loop_, &limit_);
    limit_.data = this;
  }
  ~FileWatchTest() override {
    watch_.Stop();
    uv_close(reinterpret_cast<uv_handle_t*>(&limit_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  std::string Path(const std::string& name) const { return folder_.Path(name); }
  void Write(const std::string& name) { folder_.WriteText(name, std::to_string(++writes_)); }

  // How often it was told, after `change`, until it was told once and for as long as that takes
  // twice, at most.
  int Told(const std::function<void()>& change) {
    told_ = 0;
    change();
    uv_timer_start(&limit_, [](uv_timer_t* self) { uv_stop(self->loop); }, 600, 0);
    uv_run(&loop_, UV_RUN_DEFAULT);
    return told_;
  }

  fs::path Root() const { return folder_.Path(""); }
  static void Put(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void Watch(const fs::path& file) { watch_.Watch(FoldersOfFiles({file.string()})); }
  // Whether it is told of what has happened, be it after a search.
  bool ToldInTime() {
    told_ = 0;
    stop_when_told_ = true;
    uv_update_time(&loop_);
    uv_timer_start(&limit_, [](uv_timer_t* self) { uv_stop(self->loop); }, kPatienceMillis, 0);
    uv_run(&loop_, UV_RUN_DEFAULT);
    stop_when_told_ = false;
    return told_ > 0;
  }

  CertificateFolder folder_;
  uv_loop_t loop_{};
  const int begun_ = uv_loop_init(&loop_);
  uv_timer_t limit_{};
  int told_ = 0;
  int writes_ = 0;
  bool stop_when_told_ = false;
  FileWatch watch_{&loop_, [this] {
                     ++told_;
                     if (stop_when_told_) uv_stop(&loop_);
                   }};
};

TEST_F(FileWatchTest, TellsOfAFileThatIsWrittenOrReplaced) {
  Write("a.crt");
  watch_.Watch(FoldersOfFiles({Path("a.crt")}));
  EXPECT_EQ(Told([&] { Write("a.crt"); }), 1);
  EXPECT_EQ(Told([&] {
              Write("next");
              fs::rename(Path("next"), Path("a.crt"));
            }),
            1);
  EXPECT_EQ(Told([&] { Write("a.crt"); }), 1) << "the file is another one now";
}

TEST_F(FileWatchTest, ManyChangesAreToldOnce) {
  Write("a.crt");
  Write("a.key");
  watch_.Watch(FoldersOfFiles({Path("a.crt"), Path("a.key")}));
  EXPECT_EQ(Told([&] {
              for (int i = 0; i < 5; ++i) {
                Write("a.crt");
                Write("a.key");
              }
            }),
            1);
}

TEST_F(FileWatchTest, OtherFilesDoNotMatter) {
  Write("a.crt");
  watch_.Watch(FoldersOfFiles({Path("a.crt")}));
  EXPECT_EQ(Told([&] { Write("connguard.log"); }), 0);
}

TEST_F(FileWatchTest, ASwappedLinkIsAChange) {
  fs::create_directory(Path("one"));
  fs::create_directory(Path("two"));
  fs::create_directory_symlink("one", Path("..data"));
  watch_.Watch(FoldersOfFiles({Path("a.crt")}));
  EXPECT_EQ(Told([&] {
              fs::create_directory_symlink("two", Path("..data_tmp"));
              fs::rename(Path("..data_tmp"), Path("..data"));
            }),
            1);
}

TEST_F(FileWatchTest, OtherFoldersTakeThePlaceOfThoseBefore) {
  fs::create_directory(Path("sub"));
  watch_.Watch(FoldersOfFiles({Path("a.crt")}));
  watch_.Watch(FoldersOfFiles({Path("sub/b.crt")}));
  EXPECT_EQ(Told([&] { Write("a.crt"); }), 0);
  EXPECT_EQ(Told([&] { Write("sub/b.crt"); }), 1);
}

TEST_F(FileWatchTest, AConfigurationsProfilesBelongToIt) {
  fs::create_directory(Path("profiles"));
  watch_.Watch(FoldersOfConfig(Path("guard.yaml")));
  EXPECT_EQ(Told([&] { Write("profiles/own.yaml"); }), 1);
  EXPECT_EQ(Told([&] { Write("guard.yaml"); }), 1);
  EXPECT_EQ(Told([&] { Write("guard.log"); }), 0);
}

TEST_F(FileWatchTest, ALinkOnTheWayLeadsElsewhere) {
  Put(Root() / "1" / "a.crt", "old");
  Put(Root() / "2" / "a.crt", "new");
  fs::create_symlink("1", Root() / "current");
  Watch(Root() / "current" / "a.crt");
  fs::create_symlink("2", Root() / "next");
  fs::rename(Root() / "next", Root() / "current");
  EXPECT_TRUE(ToldInTime());
}

TEST_F(FileWatchTest, TheFileBehindALinkIsWritten) {
  Put(Root() / "there" / "a.crt", "old");
  Put(Root() / "here" / "nothing", "");
  fs::create_symlink("../there/a.crt", Root() / "here" / "a.crt");
  Watch(Root() / "here" / "a.crt");
  Put(Root() / "there" / "a.crt", "new");
  EXPECT_TRUE(ToldInTime());
}

TEST_F(FileWatchTest, AFolderIsDeletedAndMadeAnew) {
  Put(Root() / "tls" / "a.crt", "old");
  Watch(Root() / "tls" / "a.crt");
  fs::remove_all(Root() / "tls");
  EXPECT_TRUE(ToldInTime());
  Put(Root() / "tls" / "a.crt", "new");
  EXPECT_TRUE(ToldInTime());
  Put(Root() / "tls" / "a.crt", "newer");
  EXPECT_TRUE(ToldInTime());
}

TEST_F(FileWatchTest, AFolderIsPutInThePlaceOfAnother) {
  Put(Root() / "tls" / "a.crt", "old");
  Put(Root() / "next" / "a.crt", "new");
  Watch(Root() / "tls" / "a.crt");
  fs::rename(Root() / "tls", Root() / "old");
  fs::rename(Root() / "next", Root() / "tls");
  EXPECT_TRUE(ToldInTime());
  Put(Root() / "tls" / "a.crt", "newer");
  EXPECT_TRUE(ToldInTime());
}

}  // namespace
}  // namespace connguard::testing
