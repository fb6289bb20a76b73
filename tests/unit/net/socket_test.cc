// Sockets: literals, listeners, peers' addresses.
#include "net/socket.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <stdexcept>

namespace connguard {
namespace {

Address Tcp(std::string host, std::uint16_t port) {
  return {.host = std::move(host), .port = port, .path = {}};
}
Address Unix(std::string path) { return {.host = {}, .port = 0, .path = std::move(path)}; }

std::string ErrorOf(const Address& address) {
  Address bound;
  try {
    OpenListeners(address, 1, bound);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

// Blocks until the connection is there; on this host that is at once.
Fd Connect(const Address& address) {
  const std::vector<SocketAddress> names = ParseLiteral(address);
  if (names.empty()) return Fd();
  Fd fd = Dial(names.front());
  pollfd wait{.fd = fd.get(), .events = POLLOUT, .revents = 0};
  int error = 0;
  socklen_t size = sizeof(error);
  if (!fd || poll(&wait, 1, 10'000) != 1) return Fd();
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? std::move(fd) : Fd();
}

// A folder for sockets, gone with the test.
class SocketFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "connguard-socket-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Address File() const { return Unix(folder_ / "guard.sock"); }

  std::filesystem::path folder_;
};

TEST(SocketTest, OnThisMachineADialHasItsAnswerAtOnce) {
  Address bound;
  std::vector<Fd> listeners = OpenListeners(Tcp("127.0.0.1", 0), 1, bound);
  const SocketAddress address = ParseLiteral(bound).at(0);
  bool connected = false;
  EXPECT_TRUE(Dial(address, &connected));
  EXPECT_TRUE(connected);
  listeners.clear();
  connected = true;
  EXPECT_FALSE(Dial(address, &connected));
  EXPECT_EQ(errno, ECONNREFUSED);
}

TEST(SocketTest, LiteralsNeedNoResolver) {
  const std::vector<SocketAddress> four = ParseLiteral(Tcp("192.0.2.7", 8080));
  ASSERT_EQ(four.size(), 1U);
  EXPECT_EQ(four[0].storage.ss_family, AF_INET);
  EXPECT_EQ(IpOf(four[0]), "192.0.2.7");
  EXPECT_EQ(ntohs(reinterpret_cast<const sockaddr_in*>(&four[0].storage)->sin_port), 8080);

  const std::vector<SocketAddress> six = ParseLiteral(Tcp("2001:db8::1", 443));
  ASSERT_EQ(six.size(), 1U);
  EXPECT_EQ(six[0].storage.ss_family, AF_INET6);
  EXPECT_EQ(IpOf(six[0]), "2001:db8::1");
  EXPECT_EQ(ntohs(reinterpret_cast<const sockaddr_in6*>(&six[0].storage)->sin6_port), 443);

  const std::vector<SocketAddress> path = ParseLiteral(Unix("/run/agent.sock"));
  ASSERT_EQ(path.size(), 1U);
  EXPECT_EQ(path[0].storage.ss_family, AF_UNIX);
}

TEST(SocketTest, AHostNameIsNoLiteral) {
  EXPECT_TRUE(ParseLiteral(Tcp("localhost", 80)).empty());
  EXPECT_TRUE(ParseLiteral(Tcp("agent.example", 80)).empty());
}

TEST(SocketTest, AV4PeerOfADualStackListenerIsToldAsV4) {
  EXPECT_EQ(IpOf(ParseLiteral(Tcp("::ffff:192.0.2.7", 1)).at(0)), "192.0.2.7");
  EXPECT_EQ(IpOf(ParseLiteral(Tcp("::1", 1)).at(0)), "::1");
}

TEST(SocketTest, EveryByteOfAV4AddressIsTold) {
  for (const char* ip : {"0.0.0.0", "255.255.255.255", "1.20.100.9"}) {
    EXPECT_EQ(IpOf(ParseLiteral(Tcp(ip, 1)).at(0)), ip);
  }
}

TEST(SocketTest, APeerOnAUnixSocketHasNoIp) {
  EXPECT_EQ(IpOf(ParseLiteral(Unix("/run/agent.sock")).at(0)), "unix");
}

TEST(SocketTest, WorkersShareThePortThatWasFree) {
  Address bound;
  const std::vector<Fd> listeners = OpenListeners(Tcp("127.0.0.1", 0), 3, bound);
  ASSERT_EQ(listeners.size(), 3U);
  EXPECT_EQ(bound.host, "127.0.0.1");
  ASSERT_NE(bound.port, 0);
  std::set<std::uint16_t> ports;
  for (const Fd& fd : listeners) {
    sockaddr_in name{};
    socklen_t size = sizeof(name);
    ASSERT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
    ports.insert(ntohs(name.sin_port));
  }
  EXPECT_EQ(ports, std::set<std::uint16_t>{bound.port});
  // Each listener is served by the kernel: 64 connections do not all fall to one of three.
  std::vector<Fd> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(Connect(bound));
    ASSERT_TRUE(clients.back());
  }
  int served = 0;
  for (const Fd& fd : listeners) served += Fd(accept(fd.get(), nullptr, nullptr)) ? 1 : 0;
  EXPECT_GE(served, 2);
}

TEST(SocketTest, AnAddressInUseIsAnErrorThatNamesIt) {
  Address bound;
  const std::vector<Fd> listeners = OpenListeners(Tcp("127.0.0.1", 0), 2, bound);
  EXPECT_EQ(ErrorOf(bound),
            "cannot listen on " + bound.ToString() + ": bind: Address already in use");
}

TEST(SocketTest, AnAddressOfAnotherMachineIsAnErrorThatNamesIt) {
  EXPECT_EQ(ErrorOf(Tcp("192.0.2.7", 8080)),
            "cannot listen on 192.0.2.7:8080: bind: Cannot assign requested address");
}

TEST(SocketTest, ANameCannotBeBound) {
  EXPECT_EQ(ErrorOf(Tcp("localhost", 0)),
            "cannot listen on localhost:0: not an IP address (a name cannot be bound)");
}

TEST(SocketTest, ASocketPathThatIsTooLongIsAnErrorThatNamesIt) {
  const Address address = Unix("/tmp/" + std::string(200, 'x'));
  EXPECT_EQ(ErrorOf(address),
            "cannot listen on " + address.ToString() + ": path: File name too long");
}

TEST_F(SocketFileTest, WorkersShareOneSocketFile) {
  Address bound;
  const std::vector<Fd> listeners = OpenListeners(File(), 2, bound);
  ASSERT_EQ(listeners.size(), 2U);
  EXPECT_EQ(bound, File());
  const std::vector<Fd> clients = [&] {
    std::vector<Fd> two;
    for (int i = 0; i < 2; ++i) two.push_back(Connect(bound));
    return two;
  }();
  for (const Fd& client : clients) EXPECT_TRUE(client);
  for (const Fd& fd : listeners) EXPECT_TRUE(Fd(accept(fd.get(), nullptr, nullptr)));
}

TEST_F(SocketFileTest, AStaleSocketFileIsReplaced) {
  Address bound;
  OpenListeners(File(), 1, bound);  // closed at once; its file stays
  ASSERT_TRUE(std::filesystem::exists(File().path));
  const std::vector<Fd> listeners = OpenListeners(File(), 1, bound);
  EXPECT_TRUE(Connect(bound));
}

TEST_F(SocketFileTest, ALiveSocketFileIsNotReplaced) {
  Address bound;
  const std::vector<Fd> listeners = OpenListeners(File(), 1, bound);
  EXPECT_EQ(ErrorOf(File()),
            "cannot listen on " + File().ToString() + ": bind: Address already in use");
  EXPECT_TRUE(Connect(bound));
}

TEST_F(SocketFileTest, ASocketFileIsRemovedByItsOwner) {
  Address bound;
  const std::vector<Fd> listeners = OpenListeners(File(), 1, bound);
  SocketFile(File().path).Remove();
  EXPECT_FALSE(std::filesystem::exists(File().path));
}

TEST_F(SocketFileTest, ANewerSocketTakesTheFileOverAndKeepsIt) {
  Address bound;
  const std::vector<Fd> older = OpenListeners(File(), 1, bound);
  const SocketFile file(File().path);
  const Fd waiting = Connect(bound);
  const std::vector<Fd> newer = OpenListeners(File(), 2, bound, true);
  EXPECT_EQ(bound, File());
  EXPECT_TRUE(Connect(bound));
  EXPECT_TRUE(Fd(accept(newer.front().get(), nullptr, nullptr)));
  EXPECT_TRUE(Fd(accept(older.front().get(), nullptr, nullptr)));  // who came before
  file.Remove();
  EXPECT_TRUE(Connect(bound));
}

TEST_F(SocketFileTest, ANewerSocketNeedsNoOlderOne) {
  Address bound;
  const std::vector<Fd> first = OpenListeners(File(), 1, bound, true);
  EXPECT_TRUE(Connect(bound));
}

TEST(SocketTest, AnFdIsClosedWithItsOwner) {
  int number = -1;
  {
    Fd fd(dup(0));
    number = fd.get();
    Fd other(std::move(fd));
    EXPECT_EQ(other.get(), number);
    struct stat status{};
    EXPECT_EQ(fstat(number, &status), 0);
  }
  struct stat status{};
  EXPECT_EQ(fstat(number, &status), -1);
}

}  // namespace
}  // namespace connguard
