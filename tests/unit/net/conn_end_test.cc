// Conn: how connections end, whoever ends them, and owners that destroy theirs in a callback.
#include <linux/tcp.h>
#include <unistd.h>

#include <array>

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

constexpr std::size_t kMany = 4 * 1024 * 1024;

class ConnEndTest : public ConnFixture {
 protected:
  // Of a word and the FIN behind it, which are told together, only the word is read.
  void ReadOnceAnd(const std::function<void(Owner&)>& then) {
    SocketPair pair = UnixPair();
    EXPECT_EQ(send(pair.theirs.get(), "word", 4, 0), 4);
    shutdown(pair.theirs.get(), SHUT_WR);
    Owner owner;
    Adopt(owner, std::move(pair.ours));
    owner.on_receive = [&] { then(owner); };
    RunUntil([&] { return turns_ == 5; });
    EXPECT_EQ(owner.received.size(), 4U);
    EXPECT_FALSE(owner.end);
  }

  // Nobody reads it: the window fills, and stays full.
  void SendToNobody(std::size_t size, bool queued) {
    SocketPair pair = TcpPair();
    constexpr int kBuffer = 128 * 1024;
    setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof(kBuffer));
    constexpr int kSmall = 4096;
    setsockopt(pair.theirs.get(), SOL_SOCKET, SO_RCVBUF, &kSmall, sizeof(kSmall));
    Owner owner;
    Adopt(owner, std::move(pair.ours));
    owner.conn->LimitUnacknowledged(100ms);
    owner.conn->Send(Noise(size, 3));
    EXPECT_EQ(owner.conn->queued() > 0, queued);
    RunUntil([&] { return owner.end.has_value(); });
    EXPECT_EQ(owner.end, ConnEnd::kTimedOut);
  }

  // An address of this host where nobody listens.
  static Address ClosedPort() {
    Address bound;
    OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound);
    return bound;
  }
};

TEST_F(ConnEndTest, FinishWritingFlushesFirstAndGoesOnReading) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  const Octets bytes = Noise(kMany, 1);
  const Octets answer = Noise(100, 2);
  When([] { return true; },
       [&] {
         owner.conn->Send(bytes);
         EXPECT_GT(owner.conn->queued(), 0U);
         owner.conn->FinishWriting();
       });
  When([&] { return peer.finished; },
       [&] {
         EXPECT_TRUE(peer.received == bytes);
         EXPECT_FALSE(owner.end);
         peer.Send(answer);
         peer.Close();
       });
  RunUntil([&] { return owner.end.has_value(); });
  EXPECT_EQ(owner.received, answer);
}

TEST_F(ConnEndTest, FinishWritingWithNothingQueuedSendsTheFinAtOnce) {
  SocketPair pair = UnixPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  When([] { return true; }, [&] { owner.conn->FinishWriting(); });
  RunUntil([&] { return peer.finished; });
  EXPECT_TRUE(owner.conn->open());
}

// A segment less is sent, received and acknowledged for every connection that ends.
TEST_F(ConnEndTest, TheLastWordsAndTheFinAreOneSegment) {
  for (const bool together : {true, false}) {
    SCOPED_TRACE(together);
    SocketPair pair = TcpPair();
    Owner owner;
    Adopt(owner, std::move(pair.ours));
    const auto received = [&pair] {
      tcp_info info{};
      socklen_t size = sizeof(info);
      getsockopt(pair.theirs.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
      return info.tcpi_segs_in;
    };
    const unsigned before = received();
    const Octets words = Noise(100, 9);
    if (together) {
      owner.conn->SendLast(words);
    } else {
      owner.conn->Send(words);
    }
    owner.conn->FinishWriting();
    EXPECT_EQ(received() - before, together ? 1U : 2U);
    Octets got(200);
    EXPECT_EQ(recv(pair.theirs.get(), got.data(), got.size(), 0), 100);
    EXPECT_EQ(recv(pair.theirs.get(), got.data(), got.size(), 0), 0);
  }
}

TEST_F(ConnEndTest, APeersFinIsAFin) {
  for (const bool tcp : {true, false}) {
    SCOPED_TRACE(tcp ? "TCP" : "unix");
    SocketPair pair = tcp ? TcpPair() : UnixPair();
    EventLoop loop;
    Transport transport(loop);
    Owner owner;
    Peer peer(loop, std::move(pair.theirs));
    owner.conn = transport.Adopt(std::move(pair.ours), &owner, Adopted::kAccepted);
    owner.on_end = [&] { loop.Stop(); };
    peer.FinishWriting();
    loop.Run();
    EXPECT_EQ(owner.end, ConnEnd::kFin);
    EXPECT_FALSE(owner.conn->open());
    EXPECT_EQ(owner.conn->fd(), -1);
    owner.conn.reset();
  }
}

TEST_F(ConnEndTest, APeersFinAfterOurOwnIsAFinToo) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  When([] { return true; }, [&] { owner.conn->FinishWriting(); });
  When([&] { return peer.finished; }, [&] { peer.Close(); });
  RunUntil([&] { return owner.end.has_value(); });
  EXPECT_EQ(owner.end, ConnEnd::kFin);
}

TEST_F(ConnEndTest, APeersResetIsAReset) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  When([] { return true; }, [&] { peer.Reset(); });
  RunUntil([&] { return owner.end.has_value(); });
  EXPECT_EQ(owner.end, ConnEnd::kReset);
}

TEST_F(ConnEndTest, AResetThatAPeekHasTakenOffTheSocketIsAResetToo) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  When([] { return true; },
       [&] {
         peer.Reset();
         EXPECT_FALSE(owner.conn->quiet());
       });
  RunUntil([&] { return owner.end.has_value(); });
  EXPECT_EQ(owner.end, ConnEnd::kReset);
}

TEST_F(ConnEndTest, APeersResetAfterOurOwnFinIsAReset) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  When([] { return true; }, [&] { owner.conn->FinishWriting(); });
  When([&] { return peer.finished; }, [&] { peer.Reset(); });
  RunUntil([&] { return owner.end.has_value(); });
  EXPECT_EQ(owner.end, ConnEnd::kReset);
}

TEST_F(ConnEndTest, SendingIntoAResetConnectionEndsItEvenWhenItIsPaused) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  const Octets bytes = Noise(1000, 3);
  When([] { return true; },
       [&] {
         owner.conn->Pause();
         peer.Reset();
         owner.conn->Send(bytes);
         owner.conn->Send(bytes);
         EXPECT_EQ(owner.conn->queued(), 0U);
       });
  RunUntil([&] { return owner.end.has_value(); });
  EXPECT_EQ(owner.end, ConnEnd::kReset);
}

TEST_F(ConnEndTest, AQueueThatIsNotAcknowledgedInTimeTimesOut) { SendToNobody(kMany, true); }

TEST_F(ConnEndTest, WhatTheKernelHasAndIsNotAcknowledgedInTimeTimesOutToo) {
  SendToNobody(128 * 1024, false);
}

TEST_F(ConnEndTest, ResetBreaksTheConnectionAndTellsTheOwnerNothing) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  When([] { return true; }, [&] { owner.conn->Reset(); });
  RunUntil([&] { return peer.error != 0 || peer.finished; });
  EXPECT_EQ(peer.error, ECONNRESET);
  EXPECT_FALSE(peer.finished);
  EXPECT_FALSE(owner.conn->open());
  EXPECT_FALSE(owner.end);
}

TEST_F(ConnEndTest, DestroyingAConnClosesItAndTellsTheOwnerNothing) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  When([] { return true; }, [&] { owner.conn.reset(); });
  RunUntil([&] { return peer.finished; });
  EXPECT_FALSE(owner.end);
}

TEST_F(ConnEndTest, AClosedPortIsUnreachable) {
  Owner owner;
  Fd fd = Connecting(ParseLiteral(ClosedPort()).at(0));
  ASSERT_TRUE(fd);
  Adopt(owner, std::move(fd), true);
  RunUntil([&] { return owner.end.has_value(); });
  EXPECT_EQ(owner.end, ConnEnd::kUnreachable);
  EXPECT_FALSE(owner.connected);
}

TEST_F(ConnEndTest, AConnThatIsStillConnectingMayBeDestroyed) {
  Owner owner;
  Owner other;
  Adopt(owner, Connecting(ParseLiteral(ClosedPort()).at(0)), true);
  Adopt(other, Connecting(ParseLiteral(ClosedPort()).at(0)), true);
  owner.conn.reset();
  RunUntil([&] { return other.end.has_value(); });
  EXPECT_FALSE(owner.end);
}

TEST_F(ConnEndTest, AConnMayBeDestroyedInOnReceive) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  owner.on_receive = [&] { owner.conn.reset(); };
  When([] { return true; }, [&] { peer.Send(Noise(100'000, 4)); });
  RunUntil([&] { return peer.finished || peer.error != 0; });
  EXPECT_FALSE(owner.received.empty());
  EXPECT_EQ(owner.conn, nullptr);
  EXPECT_FALSE(owner.end);
}

TEST_F(ConnEndTest, AConnThatIsDestroyedInOnReceiveIsNotReadToItsEnd) {
  ReadOnceAnd([](Owner& owner) { owner.conn.reset(); });
}

TEST_F(ConnEndTest, AConnThatIsPausedInOnReceiveIsNotReadToItsEnd) {
  ReadOnceAnd([](Owner& owner) { owner.conn->Pause(); });
}

TEST_F(ConnEndTest, AConnMayBeDestroyedInOnProgress) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(owner, std::move(pair.ours));
  owner.on_progress = [&] { owner.conn.reset(); };
  When([] { return true; }, [&] { owner.conn->Send(Noise(kMany, 5)); });
  RunUntil([&] { return peer.finished || peer.error != 0; });
  EXPECT_EQ(owner.progress, 1);
  EXPECT_EQ(owner.conn, nullptr);
}

TEST_F(ConnEndTest, AConnThatIsDestroyedInOnProgressIsNotRead) {
  SocketPair pair = UnixPair();
  const Fd theirs = std::move(pair.theirs);
  Owner owner;
  Adopt(owner, std::move(pair.ours));
  owner.conn->Send(Noise(kMany, 5));
  Octets taken(kMany);
  EXPECT_GT(recv(theirs.get(), taken.data(), taken.size(), 0), 0);
  EXPECT_EQ(send(theirs.get(), "word", 4, 0), 4);
  owner.on_progress = [&] { owner.conn.reset(); };
  RunUntil([&] { return owner.progress > 0; });
  EXPECT_TRUE(owner.received.empty());
  EXPECT_FALSE(owner.end);
}

TEST_F(ConnEndTest, AConnMayBeDestroyedInOnConnected) {
  Address bound;
  const std::vector<Fd> listeners =
      OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound);
  Owner owner;
  Adopt(owner, Connecting(ParseLiteral(bound).at(0)), true);
  owner.on_connected = [&] { owner.conn.reset(); };
  Peer peer(loop_, Fd(accept4(listeners[0].get(), nullptr, nullptr, SOCK_NONBLOCK)));
  RunUntil([&] { return peer.finished || peer.error != 0; });
  EXPECT_TRUE(owner.connected);
  EXPECT_FALSE(owner.end);
}

TEST_F(ConnEndTest, AConnMayBeDestroyedInOnEnd) {
  SocketPair pair = TcpPair();
  Owner fin;
  Owner unreachable;
  Peer peer(loop_, std::move(pair.theirs));
  Adopt(fin, std::move(pair.ours));
  Adopt(unreachable, Connecting(ParseLiteral(ClosedPort()).at(0)), true);
  fin.on_end = [&] { fin.conn.reset(); };
  unreachable.on_end = [&] { unreachable.conn.reset(); };
  When([] { return true; }, [&] { peer.Close(); });
  RunUntil([&] { return fin.end && unreachable.end; });
  EXPECT_EQ(fin.end, ConnEnd::kFin);
  EXPECT_EQ(unreachable.end, ConnEnd::kUnreachable);
}

TEST_F(ConnEndTest, AConnMayBeDestroyedInACallbackOfTheOtherLeg) {
  SocketPair left = TcpPair();
  SocketPair right = TcpPair();
  Owner client;
  Owner upstream;
  Peer client_peer(loop_, std::move(left.theirs));
  Peer upstream_peer(loop_, std::move(right.theirs));
  Adopt(client, std::move(left.ours));
  Adopt(upstream, std::move(right.ours));
  // Whichever is read first: both are readable in the same batch.
  const auto end_both = [&] {
    client.conn.reset();
    upstream.conn.reset();
  };
  client.on_receive = end_both;
  upstream.on_receive = end_both;
  When([] { return true; },
       [&] {
         client_peer.Send(Noise(10, 6));
         upstream_peer.Send(Noise(10, 7));
       });
  const auto gone = [](const Peer& peer) { return peer.finished || peer.error != 0; };
  RunUntil([&] { return gone(client_peer) && gone(upstream_peer); });
  EXPECT_EQ(client.received.size() + upstream.received.size(), 10U);
}

// In a batch, who is told first may have taken what the next event is about.
TEST_F(ConnEndTest, NothingToReadIsNoEnd) {
  std::array<SocketPair, 2> pairs{UnixPair(), UnixPair()};
  std::array<Owner, 2> owners;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    Adopt(owners.at(i), std::move(pairs.at(i).ours));
    EXPECT_EQ(send(pairs.at(i).theirs.get(), "word", 4, 0), 4);
    const Owner& other = owners.at(1 - i);
    owners.at(i).on_receive = [&other] {
      std::array<char, 8> taken{};
      EXPECT_EQ(recv(other.conn->fd(), taken.data(), taken.size(), 0), 4);
    };
  }
  RunUntil([&] { return turns_ == 3; });
  EXPECT_EQ(owners[0].received.size() + owners[1].received.size(), 4U);
  EXPECT_FALSE(owners[0].end || owners[1].end);
}

}  // namespace
}  // namespace connguard
