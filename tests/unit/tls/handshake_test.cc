// What a server agrees to: versions, ALPN; and peers that do not speak TLS.
#include <gtest/gtest.h>

#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

class HandshakeTest : public ::testing::Test {
 protected:
  TlsEnd Accept(const ListenerTlsConfig& config) const {
    return {.stream = world_.Server(config)->Accept()};
  }
  TlsEnd Accept() const { return Accept(world_.Listener()); }

  void Offer(std::string_view protocols) {
    SSL_CTX_set_alpn_protos(raw_.context(), AsBytes(protocols).data(),
                            static_cast<unsigned>(protocols.size()));
  }
  std::string Agreed() {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(raw_.ssl(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  std::string ChosenCipher() {
    TlsEnd server = Accept();
    raw_.Exchange(server);
    EXPECT_TRUE(raw_.is_open());
    return SSL_get_cipher_name(raw_.ssl());
  }

  TlsWorld world_;
  RawPeer raw_{TLS_client_method()};
};

TEST_F(HandshakeTest, Version12IsSpokenOneByteAtATime) {
  SSL_CTX_set_max_proto_version(raw_.context(), TLS1_2_VERSION);
  TlsEnd server = Accept();
  raw_.Exchange(server, 1);
  ASSERT_TRUE(raw_.is_open());
  EXPECT_EQ(server.stream->version(), "TLSv1.2");
  raw_.Send("up");
  server.Send("down");
  raw_.Exchange(server, 1);
  EXPECT_EQ(server.Read(), "up");
  EXPECT_EQ(raw_.read(), "down");
}

TEST_F(HandshakeTest, AClientSpeaksVersion12Too) {
  RawPeer old(TLS_server_method());
  SSL_CTX_set_max_proto_version(old.context(), TLS1_2_VERSION);
  old.Use(world_.authority.Issue({.names = {"localhost"}}));
  TlsEnd client{.stream = world_.Client()->Connect()};
  client.stream->Start(client.out);
  old.Exchange(client, 1);
  ASSERT_TRUE(old.is_open());
  EXPECT_EQ(client.stream->version(), "TLSv1.2");
  old.Send("down");
  old.Exchange(client, 1);
  EXPECT_EQ(client.Read(), "down");
}

TEST_F(HandshakeTest, MinVersion13RefusesVersion12) {
  SSL_CTX_set_max_proto_version(raw_.context(), TLS1_2_VERSION);
  ListenerTlsConfig config = world_.Listener();
  config.min_version = TlsVersion::k13;
  TlsEnd server = Accept(config);
  raw_.Exchange(server);
  EXPECT_EQ(server.stream->status(), Status::kFailed);
  EXPECT_EQ(server.stream->error(), "the TLS handshake failed: unsupported protocol");
  EXPECT_EQ(raw_.error(), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
}

TEST_F(HandshakeTest, Version11IsRefused) {
  SSL_CTX_set_security_level(raw_.context(), 0);
  SSL_CTX_set_min_proto_version(raw_.context(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(raw_.context(), TLS1_1_VERSION);
  TlsEnd server = Accept();
  raw_.Exchange(server);
  EXPECT_EQ(server.stream->status(), Status::kFailed);
}

TEST_F(HandshakeTest, CiphersWithoutForwardSecrecyAreRefused) {
  SSL_CTX_set_max_proto_version(raw_.context(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw_.context(), "AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256");
  TlsEnd server = Accept();
  raw_.Exchange(server);
  EXPECT_EQ(server.stream->error(), "the TLS handshake failed: no shared cipher");
}

// OpenSSL's own order, which the raw client has, begins with AES-256.
TEST_F(HandshakeTest, Aes128IsTakenWhereTheClientHasIt) {
  EXPECT_EQ(ChosenCipher(), "TLS_AES_128_GCM_SHA256");
}

TEST_F(HandshakeTest, Aes128IsTakenInVersion12Too) {
  SSL_CTX_set_max_proto_version(raw_.context(), TLS1_2_VERSION);
  EXPECT_EQ(ChosenCipher(), "ECDHE-ECDSA-AES128-GCM-SHA256");
}

TEST_F(HandshakeTest, ChaCha20IsTakenWhereTheClientPrefersIt) {
  SSL_CTX_set_ciphersuites(raw_.context(), "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(ChosenCipher(), "TLS_CHACHA20_POLY1305_SHA256");
}

TEST_F(HandshakeTest, AClientThatOffersAes256OnlyGetsIt) {
  SSL_CTX_set_ciphersuites(raw_.context(), "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(ChosenCipher(), "TLS_AES_256_GCM_SHA384");
}

TEST_F(HandshakeTest, AlpnTakesHttp11) {
  Offer("\x02h2\x08http/1.1");
  TlsEnd server = Accept();
  raw_.Exchange(server);
  ASSERT_TRUE(raw_.is_open());
  EXPECT_EQ(Agreed(), "http/1.1");
}

TEST_F(HandshakeTest, AlpnWithoutHttp11IsRefused) {
  Offer("\x02h2");
  TlsEnd server = Accept();
  raw_.Exchange(server);
  EXPECT_EQ(server.stream->status(), Status::kFailed);
  EXPECT_EQ(raw_.error(), SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
}

TEST_F(HandshakeTest, NoAlpnIsFine) {
  TlsEnd server = Accept();
  raw_.Exchange(server);
  ASSERT_TRUE(raw_.is_open());
  EXPECT_EQ(Agreed(), "");
  EXPECT_EQ(server.stream->server_name(), "");
}

TEST_F(HandshakeTest, PlainHttpIsKnownAndGetsNoAlert) {
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n"}) {
    TlsEnd server = Accept();
    for (const std::uint8_t& byte : AsBytes(request)) {
      server.Receive({&byte, 1});
    }
    EXPECT_EQ(server.stream->status(), Status::kFailed) << request;
    EXPECT_TRUE(server.stream->peer_spoke_http()) << request;
    EXPECT_TRUE(server.stream->error().starts_with("plain HTTP came where TLS was expected"));
    EXPECT_EQ(server.out.size(), 0U) << request;
  }
}

TEST_F(HandshakeTest, AnUpstreamOfPlainHttpIsKnown) {
  TlsEnd client{.stream = world_.Client()->Connect()};
  client.stream->Start(client.out);
  EXPECT_EQ(client.Receive(AsBytes("HTTP/1.1 400 Bad Request\r\n\r\n")), Status::kFailed);
  EXPECT_TRUE(client.stream->peer_spoke_http());
}

TEST_F(HandshakeTest, NoiseIsNoHttp) {
  TlsEnd server = Accept();
  EXPECT_EQ(server.Receive(AsBytes("SSH-2.0-OpenSSH_9.2\r\n")), Status::kFailed);
  EXPECT_FALSE(server.stream->peer_spoke_http());
  TlsEnd other = Accept();
  EXPECT_EQ(other.Receive(AsBytes("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b")),
            Status::kFailed);
  EXPECT_FALSE(other.stream->peer_spoke_http());
}

}  // namespace
}  // namespace connguard::testing
