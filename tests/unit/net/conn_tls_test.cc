// Conn with TLS on either side, over real sockets.
#include <gtest/gtest.h>
#include <linux/tcp.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "conn_fixture.h"
#include "support/test_certificates.h"
#include "tls/tls_context.h"
#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

class ConnTlsTest : public ConnFixture {
 protected:
  ConnTlsTest() {
    const TestCertificate certificate = authority_.Issue({.names = {"localhost"}});
    server_config_.certificates = {folder_.Write("server", certificate)};
    client_config_.ca = folder_.WriteText("ca.crt", authority_.pem());
  }

  std::unique_ptr<TlsStream> Server() {
    const Loaded<TlsServer> loaded = TlsServer::Load(server_config_, NewTicketKeys());
    EXPECT_NE(loaded.value, nullptr) << loaded.error;
    return loaded.value->Accept();
  }
  std::unique_ptr<TlsStream> Client() {
    const Loaded<TlsClient> loaded = TlsClient::Load(client_config_, "localhost");
    EXPECT_NE(loaded.value, nullptr) << loaded.error;
    return loaded.value->Connect();
  }
  void AdoptTls(Owner& owner, Fd fd, std::unique_ptr<TlsStream> tls, bool connecting) {
    owner.conn =
        transport_.Adopt(std::move(fd), &owner,
                         connecting ? Adopted::kConnecting : Adopted::kAccepted, std::move(tls));
  }
  // Both ends are Conns.
  void Join(Owner& client, Owner& server) {
    SocketPair pair = TcpPair();
    AdoptTls(server, std::move(pair.ours), Server(), false);
    AdoptTls(client, std::move(pair.theirs), Client(), true);
  }

  CertificateFolder folder_;
  TestCertificate authority_ = TestAuthority();
  ListenerTlsConfig server_config_;
  UpstreamTlsConfig client_config_;
};

TEST_F(ConnTlsTest, CarriesPlainBytesBothWays) {
  Owner client;
  Owner server;
  Join(client, server);
  const Octets sent = Noise(300'000, 1);
  client.on_connected = [&] {
    client.conn->Send("head ");
    client.conn->Send("and", sent);
  };
  server.on_receive = [&] {
    if (server.received.size() == sent.size() + 8) server.conn->Send(sent);
  };
  RunUntil([&] { return client.received.size() == sent.size(); });
  EXPECT_EQ(client.received, sent);
  EXPECT_EQ(std::string(server.received.begin(), server.received.begin() + 8), "head and");
  EXPECT_TRUE(std::equal(sent.begin(), sent.end(), server.received.begin() + 8));
  EXPECT_EQ(server.conn->tls()->version(), "TLSv1.3");
}

TEST_F(ConnTlsTest, TellsThatItIsConnectedWhenTheHandshakeIsOver) {
  Owner client;
  Owner server;
  Join(client, server);
  client.conn->Send("early");
  bool open = false;
  client.on_connected = [&] { open = client.conn->tls()->status() == TlsStream::Status::kOpen; };
  RunUntil([&] { return server.received.size() == 5; });
  EXPECT_TRUE(open);
  EXPECT_TRUE(client.connected);
  EXPECT_FALSE(server.connected);
}

TEST_F(ConnTlsTest, AnEndIsToldByCloseNotifyAndThenFin) {
  Owner client;
  Owner server;
  Join(client, server);
  client.on_connected = [&] {
    client.conn->Send("last words");
    client.conn->FinishWriting();
  };
  RunUntil([&] { return server.end.has_value() && client.end.has_value(); });
  EXPECT_EQ(server.end, ConnEnd::kFin);
  EXPECT_EQ(client.end, ConnEnd::kFin);
  EXPECT_EQ(server.received.size(), 10U);
}

TEST_F(ConnTlsTest, CloseNotifyAndTheFinAreOneSegment) {
  Owner client;
  Owner server;
  Join(client, server);
  const auto sent = [&client] {
    tcp_info info{};
    socklen_t size = sizeof(info);
    getsockopt(client.conn->fd(), IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_segs_out;
  };
  server.on_receive = [&] {
    const unsigned before = sent();
    client.conn->FinishWriting();
    EXPECT_EQ(sent() - before, 1U);
  };
  client.on_connected = [&] { client.conn->Send("hi"); };
  RunUntil([&] { return server.end.has_value() && client.end.has_value(); });
  EXPECT_EQ(server.end, ConnEnd::kFin);
}

TEST_F(ConnTlsTest, DestroyingOneIsAProperEnd) {
  Owner client;
  Owner server;
  Join(client, server);
  client.on_connected = [&] { client.conn->Send("hi"); };
  When([&] { return server.received.size() == 2; }, [&] { client.conn.reset(); });
  RunUntil([&] { return server.end.has_value(); });
  EXPECT_EQ(server.end, ConnEnd::kFin);
}

TEST_F(ConnTlsTest, AFinWithoutCloseNotifyIsNoEnd) {
  SocketPair pair = TcpPair();
  const int theirs = pair.theirs.get();
  Owner client;
  Owner server;
  AdoptTls(server, std::move(pair.ours), Server(), false);
  AdoptTls(client, std::move(pair.theirs), Client(), true);
  client.on_connected = [&] { client.conn->Send("hi"); };
  When([&] { return server.received.size() == 2; }, [&] { shutdown(theirs, SHUT_WR); });
  RunUntil([&] { return server.end.has_value(); });
  EXPECT_EQ(server.end, ConnEnd::kTlsFailed);
  EXPECT_NE(server.conn->tls_error().find("close_notify"), std::string::npos);
}

TEST_F(ConnTlsTest, AResetIsAReset) {
  Owner client;
  Owner server;
  Join(client, server);
  client.on_connected = [&] { client.conn->Send("hi"); };
  When([&] { return server.received.size() == 2; }, [&] { client.conn->Reset(); });
  RunUntil([&] { return server.end.has_value(); });
  EXPECT_EQ(server.end, ConnEnd::kReset);
}

TEST_F(ConnTlsTest, BothSidesLearnThatAHandshakeFailed) {
  client_config_.ca = folder_.WriteText("other.crt", TestAuthority("Other CA").pem());
  Owner client;
  Owner server;
  Join(client, server);
  RunUntil([&] { return server.end.has_value() && client.end.has_value(); });
  EXPECT_EQ(client.end, ConnEnd::kTlsFailed);
  EXPECT_EQ(server.end, ConnEnd::kTlsFailed);
  EXPECT_FALSE(client.connected);
  EXPECT_NE(client.conn->tls_error(), "");
  EXPECT_NE(server.conn->tls_error().find("alert"), std::string::npos) << server.conn->tls_error();
}

TEST_F(ConnTlsTest, PlainHttpIsAnsweredInKind) {
  SocketPair pair = TcpPair();
  Peer peer(loop_, std::move(pair.theirs));
  Owner server;
  AdoptTls(server, std::move(pair.ours), Server(), false);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  peer.Send(Octets(request.begin(), request.end()));
  When([&] { return peer.finished; }, [&] { peer.Close(); });
  RunUntil([&] { return server.end.has_value(); });
  const std::string answer(peer.received.begin(), peer.received.end());
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(server.end, ConnEnd::kTlsFailed);
}

// What waits for the rest of a ticket counts as queued, and goes out before the end.
TEST_F(ConnTlsTest, AHalfTicketHoldsUpAndLosesNothing) {
  RawPeer raw(TLS_server_method());
  raw.Use(authority_.Issue({.names = {"localhost"}}));
  SocketPair pair = TcpPair();
  Peer peer(loop_, std::move(pair.ours));
  Owner client;
  AdoptTls(client, std::move(pair.theirs), Client(), true);
  std::size_t taken = 0;
  const auto answer = [&] {
    const std::span<const std::uint8_t> fresh = std::span(peer.received).subspan(taken);
    taken = peer.received.size();
    BIO_write(SSL_get_rbio(raw.ssl()), fresh.data(), static_cast<int>(fresh.size()));
    SSL_do_handshake(raw.ssl());
    const std::string said = raw.Said();
    return Octets(said.begin(), said.end());
  };
  Octets ticket;
  When([&] { return peer.received.size() > taken; }, [&] { peer.Send(answer()); });
  When([&] { return peer.received.size() > taken; },
       [&] {
         Octets all = answer();
         raw.Send("go");
         const std::string data = raw.Said();
         all.insert(all.end(), data.begin(), data.end());
         SSL_set_max_send_fragment(raw.ssl(), 512);
         const std::string more(2'000, 'x');
         SSL_SESSION_set1_ticket_appdata(SSL_get_session(raw.ssl()), more.data(), more.size());
         SSL_new_session_ticket(raw.ssl());
         SSL_do_handshake(raw.ssl());
         const std::string said = raw.Said();
         ASSERT_GT(said.size(), 2'000U);
         all.insert(all.end(), said.begin(), said.begin() + 1'000);
         ticket.assign(said.begin() + 1'000, said.end());
         peer.Send(all);
       });
  Bytes queued = 0;
  client.on_receive = [&] {
    client.conn->Send("request");
    client.conn->FinishWriting();
    queued = client.conn->queued();
  };
  When([&] { return !client.received.empty(); }, [&] { peer.Send(ticket); });
  RunUntil([&] { return peer.finished; });
  EXPECT_EQ(queued, 7U);
  EXPECT_EQ(client.conn->queued(), 0U);
  EXPECT_EQ(transport_.queued(), 0U);
  EXPECT_GT(client.progress, 0);
  answer();
  TlsEnd nobody{.stream = Client()};
  raw.Exchange(nobody);
  EXPECT_EQ(raw.read(), "request");
  EXPECT_NE(SSL_get_shutdown(raw.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
}

// The answer, and close_notify right behind it: in one read, with no FIN yet.
TEST_F(ConnTlsTest, WhatHasEndedIsNotQuiet) {
  RawPeer raw(TLS_client_method());
  SocketPair pair = TcpPair();
  Peer peer(loop_, std::move(pair.theirs));
  Owner server;
  AdoptTls(server, std::move(pair.ours), Server(), false);
  const auto say = [&] {
    const std::string said = raw.Said();
    peer.Send(Octets(said.begin(), said.end()));
  };
  SSL_do_handshake(raw.ssl());
  say();
  When([&] { return !peer.received.empty(); },
       [&] {
         BIO_write(SSL_get_rbio(raw.ssl()), peer.received.data(),
                   static_cast<int>(peer.received.size()));
         SSL_do_handshake(raw.ssl());
         raw.Send("all");
         SSL_shutdown(raw.ssl());
         say();
       });
  std::optional<bool> quiet;
  server.on_receive = [&] { quiet = server.conn->quiet(); };
  RunUntil([&] { return server.end.has_value(); });
  EXPECT_EQ(quiet, false);
  EXPECT_EQ(server.end, ConnEnd::kFin);
}

TEST_F(ConnTlsTest, AServerThatIsNotOneIsTold) {
  SocketPair pair = TcpPair();
  Peer peer(loop_, std::move(pair.ours));
  Owner client;
  AdoptTls(client, std::move(pair.theirs), Client(), true);
  const std::string_view answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
  When([&] { return !peer.received.empty(); },
       [&] { peer.Send(Octets(answer.begin(), answer.end())); });
  RunUntil([&] { return client.end.has_value() && (peer.finished || peer.error != 0); });
  EXPECT_EQ(client.end, ConnEnd::kTlsFailed);
  EXPECT_FALSE(client.connected);
  const std::string said(peer.received.begin(), peer.received.end());
  EXPECT_EQ(said.find("HTTP/1.1 400"), std::string::npos) << said;
}

TEST_F(ConnTlsTest, APausedOneKeepsNothingBack) {
  Owner client;
  Owner server;
  Join(client, server);
  const Octets sent = Noise(2'000'000, 2);
  client.on_connected = [&] { client.conn->Send(sent); };
  server.on_receive = [&] { server.conn->Pause(); };
  for (int i = 0; i < 5; ++i) {
    When([&] { return server.conn->paused(); }, [&] { server.conn->Resume(); });
  }
  When([&] { return server.conn->paused(); },
       [&] {
         server.on_receive = {};
         server.conn->Resume();
       });
  RunUntil([&] { return server.received.size() == sent.size(); });
  EXPECT_EQ(server.received, sent);
}

TEST_F(ConnTlsTest, AnOwnerMayDestroyItInOnConnected) {
  Owner client;
  Owner server;
  Join(client, server);
  client.on_connected = [&] {
    client.conn->Send("hi");
    client.conn.reset();
  };
  RunUntil([&] { return server.end.has_value(); });
  EXPECT_EQ(server.received.size(), 2U);
  EXPECT_EQ(server.end, ConnEnd::kFin);
}

TEST_F(ConnTlsTest, AnOwnerMayDestroyItInOnReceive) {
  Owner client;
  Owner server;
  Join(client, server);
  client.on_connected = [&] {
    client.conn->Send("hi");
    client.conn->FinishWriting();
  };
  server.on_receive = [&] { server.conn.reset(); };
  RunUntil([&] { return server.conn == nullptr; });
  EXPECT_FALSE(server.end.has_value());
}

}  // namespace
}  // namespace connguard::testing
