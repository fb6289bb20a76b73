// What the tests of Conn share: a loop that runs a script, and both kinds of peers.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "net/socket.h"
#include "net/transport.h"

namespace connguard::testing {

using Octets = std::vector<std::uint8_t>;

// Bytes of which no two stretches are alike.
inline Octets Noise(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Octets bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

struct SocketPair {
  Fd ours;    // non-blocking
  Fd theirs;  // likewise
};

inline SocketPair UnixPair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

inline SocketPair TcpPair() {
  Address bound;
  const std::vector<Fd> listeners =
      OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound);
  Fd theirs = Dial(ParseLiteral(bound).at(0));
  // The kernel completes a connection over loopback within connect().
  Fd ours(accept4(listeners[0].get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  EXPECT_TRUE(ours);
  return {std::move(ours), std::move(theirs)};
}

// A socket whose connect() is under way, whatever has become of it.
inline Fd Connecting(const SocketAddress& address) {
  Fd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  EXPECT_NE(connect(fd.get(), address.get(), address.size), 0);
  EXPECT_EQ(errno, EINPROGRESS);
  return fd;
}

// A Conn's owner: notes what it is told, and does what a test wants of it then.
class Owner final : public ConnHandler {
 public:
  void OnConnected(Conn&) noexcept override {
    connected = true;
    if (on_connected) on_connected();
  }
  void OnReceive(Conn&, std::span<const std::uint8_t> data) noexcept override {
    received.insert(received.end(), data.begin(), data.end());
    if (on_receive) on_receive();
  }
  void OnProgress(Conn&) noexcept override {
    ++progress;
    if (on_progress) on_progress();
  }
  void OnEnd(Conn&, ConnEnd how) noexcept override {
    end = how;
    if (on_end) on_end();
  }

  std::unique_ptr<Conn> conn;
  bool connected = false;
  Octets received;
  int progress = 0;
  std::optional<ConnEnd> end;
  std::function<void()> on_connected, on_receive, on_progress, on_end;
};

// The other side of a connection, by plain system calls, on the same loop.
class Peer {
 public:
  Peer(EventLoop& loop, Fd fd) : loop_(loop), fd_(std::move(fd)) {
    loop_.Watch(
        fd_.get(), EPOLLIN,
        [](void* self, int, std::uint32_t) noexcept { static_cast<Peer*>(self)->Read(); }, this);
  }
  ~Peer() { Close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // As much as the socket takes; what it took.
  Octets Send(const Octets& data) {
    const ssize_t sent = send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    EXPECT_GT(sent, 0);
    return {data.begin(), data.begin() + std::max<ssize_t>(sent, 0)};
  }
  void FinishWriting() { shutdown(fd_.get(), SHUT_WR); }
  void Close() {
    if (!fd_) return;
    loop_.Forget(fd_.get(), true);
    fd_ = Fd();
  }
  void Reset() {
    const linger abort{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    Close();
  }
  // Leaves what comes in the socket.
  void StopReading() { loop_.Change(fd_.get(), 0, EPOLLIN); }
  void StartReading() { loop_.Change(fd_.get(), EPOLLIN, 0); }

  Octets received;
  bool finished = false;  // FIN
  int error = 0;          // of the last read; 0: none

 private:
  void Read() {
    std::array<std::uint8_t, 65536> buffer;
    const ssize_t size = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size > 0) {
      received.insert(received.end(), buffer.data(), buffer.data() + size);
      return;
    }
    if (size == 0) finished = true;
    if (size < 0) error = errno;
    loop_.Forget(fd_.get(), false);
  }

  EventLoop& loop_;
  Fd fd_;
};

class ConnFixture : public ::testing::Test {
 protected:
  ConnFixture() {
    loop_.SetPrepare(
        [](void* self) noexcept { return static_cast<ConnFixture*>(self)->BeforeWait(); }, this);
  }

  void Adopt(Owner& owner, Fd fd, bool connecting = false) {
    Adopt(owner, std::move(fd), connecting ? Adopted::kConnecting : Adopted::kAccepted);
  }
  void Adopt(Owner& owner, Fd fd, Adopted how) {
    owner.conn = transport_.Adopt(std::move(fd), &owner, how);
  }

  // A step of the script: `then` is done as soon as `condition` holds and those before are done.
  void When(std::function<bool()> condition, std::function<void()> then) {
    script_.push_back({std::move(condition), std::move(then)});
  }
  // Runs the loop until the script is done and `condition` holds.
  void RunUntil(std::function<bool()> condition) {
    When(std::move(condition), [this] { loop_.Stop(); });
    const TimePoint start = std::chrono::steady_clock::now();
    give_up_at_ = start + std::chrono::seconds(30);
    loop_.Run();
    EXPECT_TRUE(script_.empty()) << script_.size() << " steps of the script were never reached";
  }

  EventLoop loop_;
  Transport transport_{loop_};
  int turns_ = 0;  // of the loop

 private:
  struct Step {
    std::function<bool()> condition;
    std::function<void()> then;
  };

  Millis BeforeWait() {
    ++turns_;
    while (!script_.empty() && script_.front().condition()) {
      const Step step = std::move(script_.front());
      script_.pop_front();
      step.then();
    }
    const bool over = std::chrono::steady_clock::now() > give_up_at_;
    if (over) loop_.Stop();
    if (over || script_.empty()) return Millis{0};
    // Conditions on the time need a look without an event.
    transport_.Prepare();
    return Millis{5};
  }

  std::deque<Step> script_;
  TimePoint give_up_at_ = kNever;
};

}  // namespace connguard::testing
