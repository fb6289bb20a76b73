// Messages of the handshake protocol that come later, and by half.
#include <gtest/gtest.h>

#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

// A server whose tickets are longer than its records.
class HalfMessageTest : public ::testing::Test {
 protected:
  HalfMessageTest() {
    raw_.Use(world_.authority.Issue({.names = {"localhost"}}));
    SSL_CTX_set_max_send_fragment(raw_.context(), 512);
    SSL_CTX_set_session_ticket_cb(
        raw_.context(),
        [](SSL* ssl, void*) {
          static const std::string kLong(2'000, 'x');
          return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), kLong.data(), kLong.size());
        },
        nullptr, nullptr);
    client_.stream->Start(client_.out);
    raw_.Exchange(client_);
    SSL_new_session_ticket(raw_.ssl());
    SSL_do_handshake(raw_.ssl());
    ticket_ = raw_.Said();
  }

  Status ReceiveHalf() {
    return client_.Receive(AsBytes(std::string_view(ticket_).substr(0, kHalf)));
  }
  Status ReceiveRest() { return client_.Receive(AsBytes(std::string_view(ticket_).substr(kHalf))); }

  static constexpr std::size_t kHalf = 1'000;
  TlsWorld world_;
  TlsEnd client_{.stream = world_.Client()->Connect()};
  RawPeer raw_{TLS_server_method()};
  std::string ticket_;
};

// OpenSSL refused to write, and the bytes were gone.
TEST_F(HalfMessageTest, WhatIsSentMeanwhileGoesOutBehindTheRest) {
  ASSERT_GT(ticket_.size(), 2 * kHalf);
  EXPECT_EQ(ReceiveHalf(), Status::kOpen);
  client_.Send("head ", "and body");
  EXPECT_EQ(client_.out.size(), 0U);
  EXPECT_EQ(client_.stream->waiting(), 13U);
  EXPECT_EQ(ReceiveRest(), Status::kOpen);
  EXPECT_EQ(client_.stream->waiting(), 0U);
  raw_.Exchange(client_);
  EXPECT_EQ(raw_.read(), "head and body");
}

TEST_F(HalfMessageTest, TheEndIsToldBehindTheRest) {
  ReceiveHalf();
  client_.Send("last");
  client_.stream->Close(client_.out);
  client_.Send("too late");
  EXPECT_TRUE(client_.stream->holds_close());
  EXPECT_EQ(ReceiveRest(), Status::kOpen);
  EXPECT_FALSE(client_.stream->holds_close());
  raw_.Exchange(client_);
  EXPECT_EQ(raw_.read(), "last");
  EXPECT_NE(SSL_get_shutdown(raw_.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
}

}  // namespace
}  // namespace connguard::testing
