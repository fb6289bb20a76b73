// Where attaching a filter needs a capability, the sockets of the guard that stops took newcomers
// until they were closed, who were reset: it gives its capabilities up, and did not look whether it
// could.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "net/handover.h"
#include "net/socket.h"

namespace connguard {
namespace {

void GiveUpCapabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, 2> none{};
  ASSERT_EQ(syscall(SYS_capset, &header, none.data()), 0);
}

int ErrorOf(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

// Three sockets that are closed, one that stays, and connects after each close.
void HandOver(const char* listening, const char* connecting) {
  constexpr int kConnects = 32;
  Address address;
  std::vector<Fd> older = OpenListeners({.host = listening, .port = 0, .path = {}}, 3, address);
  Address same;
  const std::vector<Fd> newer = OpenListeners(address, 1, same, true);
  std::vector<int> own;
  for (const Fd& fd : older) own.push_back(fd.get());
  ASSERT_TRUE(SteerToOthers(own, 1));
  const SocketAddress name =
      ParseLiteral({.host = connecting, .port = address.port, .path = {}}).front();
  std::vector<Fd> clients;
  CloseSteered(std::move(older), own, [&] {
    for (int i = 0; i < kConnects; ++i) clients.push_back(Dial(name));
  });
  std::size_t served = 0;
  pollfd one{.fd = newer.front().get(), .events = POLLIN, .revents = 0};
  while (served < clients.size() && poll(&one, 1, 20'000) == 1) {
    while (Fd(accept4(one.fd, nullptr, nullptr, SOCK_CLOEXEC))) ++served;
  }
  EXPECT_EQ(served, clients.size());
  for (const Fd& client : clients) EXPECT_EQ(ErrorOf(client.get()), 0);
}

TEST(HandOverTest, ToFewerWorkersWithoutCapabilitiesResetsNobody) {
  GiveUpCapabilities();
  HandOver("127.0.0.1", "127.0.0.1");
  HandOver("::1", "::1");
  HandOver("::", "127.0.0.1");
}

}  // namespace
}  // namespace connguard
