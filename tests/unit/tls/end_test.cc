// How a stream ends, and what errors leave behind.
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

class EndTest : public ::testing::Test {
 protected:
  // Its last byte is not what was sent.
  static void Spoil(TlsEnd& from, TlsEnd& to) {
    std::string bytes = Text(from.out);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    to.Receive(AsBytes(bytes));
  }

  TlsWorld world_;
  std::shared_ptr<const TlsServer> server_ = world_.Server();
  std::shared_ptr<const TlsClient> client_ = world_.Client();
  TlsPair pair_{*client_, *server_};
};

TEST_F(EndTest, CloseEndsOneDirection) {
  pair_.Handshake();
  pair_.client.Send("last");
  pair_.client.stream->Close(pair_.client.out);
  Carry(pair_.client, pair_.server);
  EXPECT_EQ(pair_.server.Read(), "last");
  EXPECT_EQ(pair_.server.stream->status(), Status::kEnded);
  EXPECT_EQ(pair_.server.stream->Cut(), Status::kEnded);

  pair_.server.Send("answer");
  pair_.Exchange();
  EXPECT_EQ(pair_.client.Read(), "answer");
  EXPECT_EQ(pair_.client.stream->status(), Status::kOpen);
  pair_.server.stream->Close(pair_.server.out);
  pair_.Exchange();
  EXPECT_EQ(pair_.client.stream->status(), Status::kEnded);
}

TEST_F(EndTest, CloseIsSaidOnceAndNothingAfterIt) {
  pair_.Handshake();
  pair_.client.stream->Close(pair_.client.out);
  const Bytes said = pair_.client.out.size();
  EXPECT_GT(said, 0U);
  pair_.client.stream->Close(pair_.client.out);
  pair_.client.Send("too late");
  EXPECT_EQ(pair_.client.out.size(), said);
  EXPECT_EQ(pair_.client.stream->status(), Status::kOpen);
}

TEST_F(EndTest, CloseDuringTheHandshakeWaitsForItsEnd) {
  pair_.client.Send("all");
  pair_.client.stream->Close(pair_.client.out);
  pair_.client.Send("no more");
  pair_.Handshake();
  EXPECT_EQ(pair_.server.Read(), "all");
  EXPECT_EQ(pair_.server.stream->status(), Status::kEnded);
}

TEST_F(EndTest, ACutIsAFailure) {
  pair_.Handshake();
  EXPECT_EQ(pair_.server.stream->Cut(), Status::kFailed);
  EXPECT_NE(pair_.server.stream->error().find("without TLS's close_notify"), std::string::npos);
  pair_.server.Send("nothing");
  EXPECT_EQ(pair_.server.out.size(), 0U);
}

TEST_F(EndTest, ACutHandshakeSaysSo) {
  pair_.client.stream->Start(pair_.client.out);
  Carry(pair_.client, pair_.server);
  EXPECT_EQ(pair_.server.stream->Cut(), Status::kFailed);
  EXPECT_EQ(pair_.server.stream->error(), "the peer left during the TLS handshake");
}

// It was taken for the end of a stream, and before that for its beginning.
TEST_F(EndTest, CloseNotifyDuringTheHandshakeIsAFailure) {
  constexpr std::string_view kCloseNotify("\x15\x03\x03\x00\x02\x01\x00", 7);
  pair_.client.stream->Start(pair_.client.out);
  EXPECT_EQ(pair_.client.Receive(AsBytes(kCloseNotify)), Status::kFailed);
  EXPECT_EQ(pair_.client.stream->error(), "the peer left during the TLS handshake");
  EXPECT_FALSE(pair_.client.stream->opened());
}

TEST_F(EndTest, WhatCameBeforeTheFailureIsRead) {
  pair_.Handshake();
  pair_.client.Send("good");
  pair_.client.Send("bad");
  Spoil(pair_.client, pair_.server);
  EXPECT_EQ(pair_.server.stream->status(), Status::kFailed);
  // OpenSSL 3.5 has more to say of it.
  EXPECT_TRUE(
      pair_.server.stream->error().starts_with("TLS failed: decryption failed or bad record mac"))
      << pair_.server.stream->error();
  EXPECT_EQ(pair_.server.Read(), "good");
  EXPECT_GT(pair_.server.out.size(), 0U);  // the alert
  Carry(pair_.server, pair_.client);
  EXPECT_EQ(pair_.client.stream->status(), Status::kFailed);
  EXPECT_NE(pair_.client.stream->error().find("alert bad record mac"), std::string::npos);
}

TEST_F(EndTest, AnErrorOfOneStreamIsNotAnothers) {
  TlsPair other(*client_, *server_);
  pair_.Handshake();
  other.Handshake();
  pair_.client.Send("bad");
  Spoil(pair_.client, pair_.server);
  EXPECT_EQ(ERR_peek_error(), 0U);
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);  // and of whatever else used this thread
  other.client.Send("fine");
  other.Exchange();
  EXPECT_EQ(other.server.Read(), "fine");
  EXPECT_TRUE(other.is_open());
  // That an empty queue tells "more is needed" from a failure: half a record.
  other.client.Send("half");
  const ByteBuffer record = std::move(other.client.out);
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  EXPECT_EQ(other.server.Receive(record.bytes().first(10)), Status::kOpen);
  EXPECT_EQ(other.server.Receive(record.bytes().subspan(10)), Status::kOpen);
  EXPECT_EQ(other.server.Read(), "half");
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_F(EndTest, AFailedStreamTakesNothingMore) {
  pair_.client.stream->Start(pair_.client.out);
  pair_.server.Receive(AsBytes("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"));
  const std::string error = pair_.server.stream->error();
  pair_.server.out.Clear();
  Carry(pair_.client, pair_.server);
  pair_.server.stream->Close(pair_.server.out);
  EXPECT_EQ(pair_.server.stream->Cut(), Status::kFailed);
  EXPECT_EQ(pair_.server.stream->error(), error);
  EXPECT_EQ(pair_.server.out.size(), 0U);
}

TEST_F(EndTest, AStreamOutlivesItsServer) {
  server_.reset();
  client_.reset();
  pair_.Handshake();
  EXPECT_TRUE(pair_.is_open());
}

}  // namespace
}  // namespace connguard::testing
