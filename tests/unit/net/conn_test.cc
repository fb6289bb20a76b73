// Conn: bytes in and out.
#include "net/conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "conn_fixture.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;
using testing::Connecting;
using testing::ConnFixture;
using testing::Noise;
using testing::Octets;
using testing::Owner;
using testing::Peer;
using testing::SocketPair;
using testing::TcpPair;
using testing::UnixPair;

constexpr std::size_t kMany = 4 * 1024 * 1024;  // more than any socket's buffer

class ConnTest : public ConnFixture {};

TEST_F(ConnTest, WhatIsSentAtOnceLeavesWithoutAQueue) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  const Octets message = Noise(1000, 1);
  When([] { return true; },
       [&] {
         owner.conn->Send(message);
         EXPECT_EQ(owner.conn->queued(), 0U);
       });
  RunUntil([&] { return peer.received.size() >= message.size(); });
  EXPECT_EQ(peer.received, message);
  EXPECT_EQ(owner.progress, 0);
}

TEST_F(ConnTest, MoreThanTheSocketTakesArrivesWholeAndInOrder) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  const Octets bytes = Noise(kMany, 2);
  When([] { return true; },
       [&] {
         peer.StopReading();
         // In pieces of odd sizes, before and after the socket is full.
         for (std::size_t at = 0; at < bytes.size(); at += 77'777) {
           owner.conn->Send(
               std::span(bytes).subspan(at, std::min<std::size_t>(77'777, bytes.size() - at)));
         }
         EXPECT_GT(owner.conn->queued(), 0U);
         peer.StartReading();
       });
  RunUntil([&] { return peer.received.size() >= bytes.size(); });
  EXPECT_TRUE(peer.received == bytes);
  EXPECT_EQ(owner.conn->queued(), 0U);
  EXPECT_GT(owner.progress, 0);
}

TEST_F(ConnTest, WatchedConnectionEndsWhenItsPeerVanishes) {
  SocketPair pair = TcpPair();
  Owner owner;
  Adopt(owner, std::move(pair.ours));
  owner.conn->Probe(20s, 9s);
  owner.conn->LimitUnacknowledged(31s);
  const auto option = [&owner](int level, int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    getsockopt(owner.conn->fd(), level, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 20);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 31'000);
}

TEST_F(ConnTest, WatchingAUnixSocketDoesNothing) {
  SocketPair pair = UnixPair();
  Owner owner;
  Adopt(owner, std::move(pair.ours));
  owner.conn->Probe(20s, 9s);
  owner.conn->LimitUnacknowledged(31s);
  EXPECT_TRUE(owner.conn->open());
}

TEST_F(ConnTest, OneEventBothWritesAndReads) {
  SocketPair pair = UnixPair();
  const Fd theirs = std::move(pair.theirs);
  Owner owner;
  Adopt(owner, std::move(pair.ours));
  owner.conn->Send(Noise(kMany, 2));
  // It could be written again, and there is something to read, before the loop looks.
  Octets taken(kMany);
  EXPECT_GT(recv(theirs.get(), taken.data(), taken.size(), 0), 0);
  EXPECT_EQ(send(theirs.get(), "word", 4, 0), 4);
  int wrote_in = -1;
  int read_in = -2;
  owner.on_progress = [&] { wrote_in = turns_; };
  owner.on_receive = [&] { read_in = turns_; };
  RunUntil([&] { return !owner.received.empty() && owner.progress > 0; });
  EXPECT_GT(owner.conn->queued(), 0U);
  EXPECT_EQ(wrote_in, read_in);
}

TEST_F(ConnTest, AnEmptiedQueueMakesNoMoreEvents) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  owner.conn->Send(Noise(kMany, 2));
  int told = 0;
  When([&] { return peer.received.size() == kMany && owner.conn->queued() == 0; },
       [&] {
         told = owner.progress;
         turns_ = 0;
       });
  RunUntil([&] { return turns_ == 5; });
  EXPECT_GT(told, 0);
  EXPECT_EQ(owner.progress, told);
}

// Two proxies that both stop reading while they cannot write would wait for each other for ever.
TEST_F(ConnTest, BothSidesMayWriteAtOnceWithoutADeadlock) {
  for (const bool tcp : {true, false}) {
    SCOPED_TRACE(tcp ? "TCP" : "unix");
    EventLoop loop;
    SocketPair pair = tcp ? TcpPair() : UnixPair();
    Owner left;
    Owner right;
    const Octets to_right = Noise(kMany, 3);
    const Octets to_left = Noise(kMany, 4);
    Transport transport(loop);
    left.conn = transport.Adopt(std::move(pair.ours), &left, Adopted::kAccepted);
    right.conn = transport.Adopt(std::move(pair.theirs), &right, Adopted::kAccepted);
    left.conn->Send(to_right);
    right.conn->Send(to_left);
    EXPECT_GT(left.conn->queued(), 0U);
    EXPECT_GT(right.conn->queued(), 0U);
    const auto check = [&] {
      if (left.received.size() >= kMany && right.received.size() >= kMany) loop.Stop();
    };
    left.on_receive = check;
    right.on_receive = check;
    Timer give_up([](void* stopped) noexcept { static_cast<EventLoop*>(stopped)->Stop(); }, &loop);
    loop.timers().Arm(give_up, loop.now() + 30s);
    loop.Run();
    EXPECT_TRUE(left.received == to_left);
    EXPECT_TRUE(right.received == to_right);
    left.conn.reset();
    right.conn.reset();
  }
}

TEST_F(ConnTest, APausedConnReadsNothingUntilItResumes) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  const Octets message = Noise(5000, 5);
  TimePoint sent_at = kNever;
  When([] { return true; },
       [&] {
         owner.conn->Pause();
         EXPECT_TRUE(owner.conn->paused());
         peer.Send(message);
         sent_at = std::chrono::steady_clock::now();
       });
  When([&] { return std::chrono::steady_clock::now() >= sent_at + 50ms; },
       [&] {
         EXPECT_TRUE(owner.received.empty());
         // What we send goes out all the same.
         owner.conn->Send(message);
       });
  When([&] { return peer.received == message; },
       [&] {
         EXPECT_TRUE(owner.received.empty());
         owner.conn->Resume();
         EXPECT_FALSE(owner.conn->paused());
       });
  RunUntil([&] { return owner.received.size() >= message.size(); });
  EXPECT_EQ(owner.received, message);
}

// Events are edges: what is left of one is told only to who asks for it.
TEST_F(ConnTest, MoreThanOneReadTakesIsReadToItsEnd) {
  for (const bool ended : {false, true}) {
    SCOPED_TRACE(ended ? "and a FIN" : "and nothing more");
    SocketPair pair = TcpPair();
    const Octets bytes = Noise(kMany, 12);
    const auto sent = static_cast<std::size_t>(
        std::max<ssize_t>(send(pair.theirs.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0));
    if (ended) shutdown(pair.theirs.get(), SHUT_WR);
    EXPECT_GT(sent, 2U * 128 * 1024);
    EventLoop loop;
    Transport transport(loop);
    Owner owner;
    owner.conn = transport.Adopt(std::move(pair.ours), &owner, Adopted::kAccepted);
    const auto check = [&] {
      if (owner.received.size() == sent && owner.end.has_value() == ended) loop.Stop();
    };
    owner.on_receive = check;
    owner.on_end = check;
    Timer give_up([](void* stopped) noexcept { static_cast<EventLoop*>(stopped)->Stop(); }, &loop);
    loop.timers().Arm(give_up, loop.now() + 5s);
    loop.Run();
    EXPECT_EQ(owner.received, Octets(bytes.begin(), bytes.begin() + static_cast<long>(sent)));
    EXPECT_EQ(owner.end, ended ? std::optional(ConnEnd::kFin) : std::nullopt);
    owner.conn.reset();
  }
}

TEST_F(ConnTest, WhatCameWhileItWasPausedForPartOfATurnIsRead) {
  std::array<SocketPair, 2> pairs{UnixPair(), UnixPair()};
  std::array<Owner, 2> owners;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    Adopt(owners.at(i), std::move(pairs.at(i).ours));
    EXPECT_EQ(send(pairs.at(i).theirs.get(), "word", 4, 0), 4);
    // Both are told in one batch: whoever is first keeps the other from being read.
    Owner& other = owners.at(1 - i);
    owners.at(i).on_receive = [&other] {
      if (other.received.empty()) other.conn->Pause();
    };
  }
  When([&] { return owners[0].conn->paused() || owners[1].conn->paused(); },
       [&] {
         for (const Owner& owner : owners) owner.conn->Resume();
       });
  RunUntil([&] { return owners[0].received.size() == 4 && owners[1].received.size() == 4; });
}

TEST_F(ConnTest, PausingInACallbackHoldsBackTheRest) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  const Octets message = Noise(200'000, 6);  // several reads
  Octets sent;
  int reads = 0;
  owner.on_receive = [&] {
    ++reads;
    owner.conn->Pause();
  };
  When([] { return true; }, [&] { sent = peer.Send(message); });
  When([&] { return reads > 0; }, [&] { EXPECT_EQ(reads, 1); });
  RunUntil([&] {
    if (owner.conn->paused()) owner.conn->Resume();
    return owner.received.size() >= sent.size();
  });
  EXPECT_TRUE(owner.received == sent);
  EXPECT_GT(reads, 1);
}

// A hang-up cannot be masked: it must neither spin nor lose what came before it.
TEST_F(ConnTest, APausedConnWhosePeerHasHungUpDeliversAllThatIsUnread) {
  for (const bool tcp : {true, false}) {
    SCOPED_TRACE(tcp ? "TCP" : "unix");
    EventLoop loop;
    Transport transport(loop);
    SocketPair pair = tcp ? TcpPair() : UnixPair();
    Owner owner;
    auto peer = std::make_unique<Peer>(loop, std::move(pair.theirs));
    owner.conn = transport.Adopt(std::move(pair.ours), &owner, Adopted::kAccepted);
    owner.conn->Pause();
    // With our own FIN out as well, TCP too has nothing more to say: a hang-up for epoll.
    owner.conn->FinishWriting();
    const Octets sent = peer->Send(Noise(150'000, 7));
    peer->Close();
    struct Watch {
      EventLoop& loop;
      Owner& owner;
      int turns = 0;
    } watch{loop, owner};
    loop.SetPrepare(
        [](void* given) noexcept {
          ++static_cast<Watch*>(given)->turns;
          return 60'000ms;
        },
        &watch);
    Timer resume(
        [](void* given) noexcept {
          auto& self = *static_cast<Watch*>(given);
          EXPECT_TRUE(self.owner.received.empty());
          EXPECT_FALSE(self.owner.end);
          EXPECT_LT(self.turns, 10) << "the loop spins";
          self.owner.conn->Resume();
        },
        &watch);
    Timer give_up([](void* stopped) noexcept { static_cast<EventLoop*>(stopped)->Stop(); }, &loop);
    loop.timers().Arm(resume, loop.now() + 50ms);
    loop.timers().Arm(give_up, loop.now() + 30s);
    owner.on_end = [&] { loop.Stop(); };
    loop.Run();
    EXPECT_TRUE(owner.received == sent) << owner.received.size() << " of " << sent.size();
    EXPECT_EQ(owner.end, ConnEnd::kFin);
    owner.conn.reset();
  }
}

TEST_F(ConnTest, ABigQueueIsGivenBackAndTheNextOneIsSound) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  const Octets bytes = Noise(kMany, 8);
  When([] { return true; }, [&] { owner.conn->Send(bytes); });
  When([&] { return peer.received.size() >= kMany; },
       [&] {
         EXPECT_EQ(owner.conn->queued(), 0U);
         EXPECT_TRUE(peer.received == bytes);
         peer.received.clear();
         owner.conn->Send(bytes);
       });
  RunUntil([&] { return peer.received.size() >= kMany; });
  EXPECT_TRUE(peer.received == bytes);
}

TEST_F(ConnTest, ADialledConnIsToldThatItIsConnected) {
  Address bound;
  const std::vector<Fd> listeners =
      OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound);
  Owner owner;
  Adopt(owner, Connecting(ParseLiteral(bound).at(0)), true);
  RunUntil([&] { return owner.connected; });
  EXPECT_FALSE(owner.end);
}

// Over loopback connect() is done when it returns.
TEST_F(ConnTest, WhoIsConnectedAtOnceIsToldBeforeTheLoopWaits) {
  Address bound;
  const std::vector<Fd> listeners =
      OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound);
  bool at_once = false;
  Fd fd = Dial(ParseLiteral(bound).at(0), &at_once);
  EXPECT_TRUE(at_once);
  Owner owner;
  const Octets message = Noise(1000, 10);
  owner.on_connected = [&] { owner.conn->Send(message); };
  Adopt(owner, std::move(fd), Adopted::kConnected);
  EXPECT_FALSE(owner.connected) << "not while its owner does not have it yet";
  transport_.Prepare();
  EXPECT_TRUE(owner.connected);
  EXPECT_EQ(owner.conn->queued(), 0U);
  Peer peer(loop_, Fd(accept4(listeners[0].get(), nullptr, nullptr, SOCK_NONBLOCK)));
  RunUntil([&] { return peer.received.size() == message.size(); });
  EXPECT_EQ(peer.received, message);
}

TEST_F(ConnTest, WhoIsGoneMeanwhileIsNotTold) {
  Address bound;
  const std::vector<Fd> listeners =
      OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound);
  const SocketAddress address = ParseLiteral(bound).at(0);
  Owner first;
  Owner second;
  Owner third;
  for (Owner* const owner : {&first, &second, &third}) {
    Adopt(*owner, Dial(address), Adopted::kConnected);
  }
  first.conn.reset();
  second.on_connected = [&] { third.conn->Reset(); };
  transport_.Prepare();
  EXPECT_FALSE(first.connected);
  EXPECT_TRUE(second.connected);
  EXPECT_FALSE(third.connected);
}

TEST_F(ConnTest, WhatIsSentBeforeThatGoesOutToo) {
  Address bound;
  const std::vector<Fd> listeners =
      OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound);
  Owner owner;
  Adopt(owner, Dial(ParseLiteral(bound).at(0)), Adopted::kConnected);
  const Octets message = Noise(1000, 11);
  owner.conn->Send(message);
  owner.conn->FinishWriting();
  Peer peer(loop_, Fd(accept4(listeners[0].get(), nullptr, nullptr, SOCK_NONBLOCK)));
  RunUntil([&] { return peer.finished; });
  EXPECT_EQ(peer.received, message);
}

TEST_F(ConnTest, WhatIsSentWhileConnectingGoesOutOnceConnected) {
  Address bound;
  const std::vector<Fd> listeners =
      OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound);
  Owner owner;
  Adopt(owner, Connecting(ParseLiteral(bound).at(0)), true);
  const Octets message = Noise(1000, 9);
  owner.conn->Send(message);
  owner.conn->FinishWriting();
  EXPECT_EQ(owner.conn->queued(), message.size());
  Peer peer(loop_, Fd(accept4(listeners[0].get(), nullptr, nullptr, SOCK_NONBLOCK)));
  RunUntil([&] { return peer.finished; });
  EXPECT_TRUE(owner.connected);
  EXPECT_EQ(peer.received, message);
}

}  // namespace
}  // namespace connguard
