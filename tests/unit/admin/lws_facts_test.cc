// What the code relies on in libwebsockets (proxy/docs/lws.md) and no other test shows, so that an
// upgrade tells what changed.
#include <gtest/gtest.h>
#include <libwebsockets.h>

#include <filesystem>
#include <iterator>
#include <string_view>

namespace connguard {
namespace {

TEST(LwsFactsTest, TheLibraryIsTheOneOfTheHeaders) {
  EXPECT_GE(LWS_LIBRARY_VERSION_NUMBER, 4'003'000);
  EXPECT_TRUE(std::string_view(lws_get_library_version()).starts_with(LWS_LIBRARY_VERSION));
}

TEST(LwsFactsTest, ADestroyedContextLeavesOneDescriptorOpen) {
  const auto descriptors = [] {
    const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(entries), end(entries));
  };
  const auto before = descriptors();
  lws_log_cx silent{};
  lws_context_creation_info info{};
  info.log_cx = &silent;
  info.port = CONTEXT_PORT_NO_LISTEN;
  lws_context_destroy(lws_create_context(&info));
  EXPECT_EQ(descriptors(), before + 1);
}

}  // namespace
}  // namespace connguard
