// Peers that would keep us busy without sending data.
#include <gtest/gtest.h>

#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

class AbuseTest : public ::testing::Test {
 protected:
  void Open(int version) {
    SSL_CTX_set_max_proto_version(raw_.context(), version);
    raw_.Exchange(server_);
    ASSERT_TRUE(raw_.is_open());
  }
  void UpdateKey() {
    SSL_key_update(raw_.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(raw_.ssl());
  }

  TlsWorld world_;
  TlsEnd server_{.stream = world_.Server()->Accept()};
  RawPeer raw_{TLS_client_method()};
};

TEST_F(AbuseTest, RenegotiationIsRefused) {
  Open(TLS1_2_VERSION);
  ASSERT_EQ(SSL_renegotiate(raw_.ssl()), 1);
  SSL_do_handshake(raw_.ssl());
  raw_.Exchange(server_);
  EXPECT_EQ(raw_.error(), SSL_R_NO_RENEGOTIATION);
  EXPECT_NE(server_.stream->status(), Status::kHandshaking);
}

// OpenSSL answers each record that begins like a ClientHello, and tells no callback of it.
TEST_F(AbuseTest, RenegotiationsWithoutEndAreAFailure) {
  // A hello of nothing but the byte that each of its parts has to begin with.
  static const std::string kFill(60'000, '\x01');
  const auto add = [](SSL* ssl, unsigned, const unsigned char** bytes, size_t* size, int*, void*) {
    *bytes = AsBytes(kFill).data();
    *size = kFill.size();
    return SSL_get_finished(ssl, nullptr, 0) > 0 ? 1 : 0;  // not the first
  };
  constexpr unsigned kPrivate = 0xFE00;
  SSL_CTX_add_client_custom_ext(raw_.context(), kPrivate, add, nullptr, nullptr, nullptr, nullptr);
  Open(TLS1_2_VERSION);
  SSL_set_max_send_fragment(raw_.ssl(), 512);
  ASSERT_EQ(SSL_renegotiate(raw_.ssl()), 1);
  SSL_do_handshake(raw_.ssl());
  const std::string said = raw_.Said();
  ASSERT_GT(said.size(), kFill.size());
  EXPECT_EQ(server_.Receive(AsBytes(said)), Status::kFailed);
  EXPECT_NE(server_.stream->error().find("without data"), std::string::npos)
      << server_.stream->error();
  EXPECT_LE(server_.out.size(), 33U * (5 + 8 + 2 + 16));
}

TEST_F(AbuseTest, AServersWishToRenegotiateIsRefused) {
  RawPeer raw(TLS_server_method());
  SSL_CTX_set_max_proto_version(raw.context(), TLS1_2_VERSION);
  raw.Use(world_.authority.Issue({.names = {"localhost"}}));
  TlsEnd client{.stream = world_.Client()->Connect()};
  client.stream->Start(client.out);
  raw.Exchange(client);
  ASSERT_TRUE(raw.is_open());
  const auto ask = [&] {
    SSL_renegotiate(raw.ssl());
    SSL_do_handshake(raw.ssl());
    return client.Receive(AsBytes(raw.Said()));
  };
  EXPECT_EQ(ask(), Status::kOpen);
  EXPECT_EQ(client.out.size(), 5U + 8 + 2 + 16);  // an alert
  for (int i = 1; i < 32; ++i) {
    ASSERT_EQ(ask(), Status::kOpen) << i;
  }
  EXPECT_EQ(ask(), Status::kFailed);
}

TEST_F(AbuseTest, AKeyUpdateIsAnswered) {
  Open(TLS1_3_VERSION);
  UpdateKey();
  raw_.Send("after it");
  raw_.Exchange(server_);
  EXPECT_EQ(server_.Read(), "after it");
  server_.Send("too");
  EXPECT_GT(server_.out.size(), 50U);  // two records: OpenSSL's answer waits for the next data
  raw_.Exchange(server_);
  EXPECT_EQ(raw_.read(), "too");
}

TEST_F(AbuseTest, KeyUpdatesWithoutEndAreAFailure) {
  Open(TLS1_3_VERSION);
  for (int i = 0; i < 1'000; ++i) {
    UpdateKey();
  }
  EXPECT_EQ(server_.Receive(AsBytes(raw_.Said())), Status::kFailed);
  EXPECT_NE(server_.stream->error().find("KeyUpdate"), std::string::npos);
  EXPECT_LT(server_.out.size(), 40U * 30);
}

TEST_F(AbuseTest, KeyUpdatesBetweenMuchDataAreFine) {
  Open(TLS1_3_VERSION);
  const std::string data(16 * 1024, 'x');
  for (int i = 0; i < 100; ++i) {
    UpdateKey();
    raw_.Send(data);
    raw_.Exchange(server_);
    ASSERT_EQ(server_.Read(), data);
  }
  EXPECT_EQ(server_.stream->status(), Status::kOpen);
}

TEST_F(AbuseTest, KeyUpdatesBetweenLittleDataAreAFailure) {
  Open(TLS1_3_VERSION);
  int updates = 0;
  for (; updates < 1'000 && server_.stream->status() == Status::kOpen; ++updates) {
    UpdateKey();
    raw_.Send("x");
    raw_.Exchange(server_);
  }
  EXPECT_EQ(server_.stream->status(), Status::kFailed);
  EXPECT_EQ(updates, 33);
}

// Of TLS 1.3, for old middleboxes; they mean nothing (RFC 8446 §5).
TEST_F(AbuseTest, ChangeCipherSpecsWithoutEndAreAFailure) {
  SSL_do_handshake(raw_.ssl());
  server_.Receive(AsBytes(raw_.Said()));
  ASSERT_EQ(server_.stream->status(), Status::kHandshaking);
  const std::string one("\x14\x03\x03\x00\x01\x01", 6);
  EXPECT_EQ(server_.Receive(AsBytes(one)), Status::kHandshaking);
  std::string many;
  for (int i = 0; i < 1'000; ++i) {
    many += one;
  }
  EXPECT_EQ(server_.Receive(AsBytes(many)), Status::kFailed);
}

TEST_F(AbuseTest, ChangeCipherSpecsBehindTheHandshakeAreAFailure) {
  Open(TLS1_3_VERSION);
  const std::string one("\x14\x03\x03\x00\x01\x01", 6);
  for (int i = 0; i < 1'000 && server_.stream->status() == Status::kOpen; ++i) {
    server_.Receive(AsBytes(one));
  }
  EXPECT_EQ(server_.stream->status(), Status::kFailed);
}

}  // namespace
}  // namespace connguard::testing
