// A name that libuv refuses to look up at all.
#include "app/resolver.h"

#include <gtest/gtest.h>
#include <uv.h>

#include <string>

namespace connguard {
namespace {

constexpr std::uint64_t kPatience = 20'000;

class ResolverTest : public testing::Test {
 protected:
  ResolverTest() {
    uv_loop_init(&loop_);
    uv_timer_init(&loop_, &patience_);
    uv_timer_start(&patience_, [](uv_timer_t* self) { uv_stop(self->loop); }, kPatience, 0);
  }
  ~ResolverTest() override {
    resolver_.Stop();
    uv_close(reinterpret_cast<uv_handle_t*>(&patience_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  static Config Naming(std::string host) {
    Config config;
    UpstreamConfig& upstream = config.upstreams.emplace_back();
    upstream.address = {.host = std::move(host), .port = 80, .path = {}};
    return config;
  }

  uv_loop_t loop_{};
  uv_timer_t patience_{};
  int told_ = 0;
  int known_ = 0;
  Resolver resolver_{&loop_, [this](const Address&, const std::vector<SocketAddress>& addresses) {
                       ++told_;
                       known_ += addresses.empty() ? 0 : 1;
                       uv_stop(&loop_);
                     }};
};

// Longer than libuv takes.
TEST_F(ResolverTest, ANameThatIsRefusedAtOnceCountsAsTried) {
  const Config config = Naming(std::string(300, 'a'));
  resolver_.Add(config);
  EXPECT_EQ(told_, 0) << "whoever asks is told later";
  EXPECT_FALSE(resolver_.Tried(config));
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(known_, 0);
  EXPECT_TRUE(resolver_.Tried(config));
  EXPECT_FALSE(resolver_.Knows(config));
}

TEST_F(ResolverTest, ARefusalThatNobodyWaitsForAnyMoreIsNotTold) {
  resolver_.Add(Naming(std::string(300, 'a')));
  resolver_.Stop();
  uv_unref(reinterpret_cast<uv_handle_t*>(&patience_));
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(told_, 0);
}

}  // namespace
}  // namespace connguard
