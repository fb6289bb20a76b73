// TlsStream between two of its kind.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "unit/tls/tls_pair.h"

namespace connguard::testing {
namespace {

class StreamTest : public ::testing::Test {
 protected:
  static std::string Pattern(Bytes size) {
    std::string text(size, '\0');
    for (Bytes i = 0; i < size; ++i) {
      text[i] = static_cast<char>(i * 31 >> 3);
    }
    return text;
  }

  TlsWorld world_;
  std::shared_ptr<const TlsServer> server_ = world_.Server();
  std::shared_ptr<const TlsClient> client_ = world_.Client();
  TlsPair pair_{*client_, *server_};
};

TEST_F(StreamTest, BytesGoBothWays) {
  pair_.Handshake();
  ASSERT_TRUE(pair_.is_open()) << pair_.client.stream->error() << pair_.server.stream->error();
  EXPECT_EQ(pair_.client.stream->version(), "TLSv1.3");
  EXPECT_EQ(pair_.server.stream->server_name(), "localhost");
  pair_.client.Send("GET / HTTP/1.1\r\n\r\n");
  pair_.server.Send("HTTP/1.1 200 OK\r\n\r\n", "hello");
  pair_.Exchange();
  EXPECT_EQ(pair_.server.Read(), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(pair_.client.Read(), "HTTP/1.1 200 OK\r\n\r\nhello");
}

TEST_F(StreamTest, OneByteAtATime) {
  pair_.Handshake(1);
  ASSERT_TRUE(pair_.is_open());
  pair_.client.Send("up", "wards");
  pair_.server.Send("down", "wards");
  pair_.Exchange(1);
  EXPECT_EQ(pair_.server.Read(), "upwards");
  EXPECT_EQ(pair_.client.Read(), "downwards");
}

TEST_F(StreamTest, MuchInRandomPieces) {
  const std::string up = Pattern(3'000'000);
  const std::string down = Pattern(2'000'003);
  std::mt19937 random(7);
  pair_.Handshake();
  pair_.client.Send(up.substr(0, 20'000), up.substr(20'000));
  pair_.server.Send({}, down);
  for (TlsEnd* from : {&pair_.client, &pair_.server}) {
    TlsEnd& to = from == &pair_.client ? pair_.server : pair_.client;
    const ByteBuffer bytes = std::move(from->out);
    for (Bytes at = 0; at < bytes.size();) {
      const Bytes size = std::min<Bytes>(1 + random() % 40'000, bytes.size() - at);
      ASSERT_EQ(to.Receive(bytes.bytes().subspan(at, size)), Status::kOpen);
      at += size;
    }
  }
  EXPECT_TRUE(pair_.server.Read() == up);
  EXPECT_TRUE(pair_.client.Read() == down);
}

// All streams of a thread have one BIO.
TEST_F(StreamTest, HandshakesThatTakeTurnsDoNotMix) {
  std::vector<std::unique_ptr<TlsPair>> pairs;
  for (int i = 0; i < 4; ++i) {
    pairs.push_back(std::make_unique<TlsPair>(*client_, *server_));
    pairs.back()->client.stream->Start(pairs.back()->client.out);
  }
  for (const auto& pair : pairs) Carry(pair->client, pair->server, 100);
  pairs.pop_back();  // goes while it is at it, and the last that was
  for (const auto& pair : pairs) Carry(pair->server, pair->client, 100);
  for (const auto& pair : pairs) pair->Exchange(100);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_TRUE(pairs[i]->is_open());
    pairs[i]->client.Send("up " + std::to_string(i));
    pairs[i]->server.Send("down " + std::to_string(i));
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i]->Exchange(7);
    EXPECT_EQ(pairs[i]->server.Read(), "up " + std::to_string(i));
    EXPECT_EQ(pairs[i]->client.Read(), "down " + std::to_string(i));
  }
}

TEST_F(StreamTest, WhatIsSentBeforeTheHandshakeGoesOutWithIt) {
  pair_.client.Send("early ", "bird");
  EXPECT_EQ(pair_.client.out.size(), 0U);
  pair_.Handshake();
  EXPECT_EQ(pair_.server.Read(), "early bird");
}

TEST_F(StreamTest, HeadAndBodyAreOneRecordWhereTheyFit) {
  // Of TLS 1.3 with a tag of 16 bytes: header, type and tag.
  constexpr Bytes kOverhead = 5 + 1 + 16;
  constexpr Bytes kWhole = 16 * 1024;
  pair_.Handshake();
  struct Case {
    Bytes head;
    Bytes body;
    Bytes records;
  };
  for (const auto& [head, body, records] :
       {Case{0, 0, 0}, Case{10, 0, 1}, Case{0, 10, 1}, Case{10, 20, 1}, Case{10, kWhole - 10, 1},
        Case{10, kWhole, 2}, Case{kWhole, 10, 2}, Case{kWhole + 10, kWhole - 10, 2},
        Case{3 * kWhole + 1, 3 * kWhole, 7}}) {
    const std::string data = Pattern(head + body);
    pair_.client.Send(std::string_view(data).substr(0, head), std::string_view(data).substr(head));
    EXPECT_EQ(pair_.client.out.size(), data.size() + records * kOverhead) << head << '+' << body;
    pair_.Exchange();
    EXPECT_TRUE(pair_.server.Read() == data) << head << '+' << body;
  }
}

TEST_F(StreamTest, NothingStaysBehindButAPartialRecord) {
  pair_.Handshake();
  for (int i = 0; i < 500; ++i) {
    pair_.client.Send("0123456789");
  }
  const std::string bytes = Text(pair_.client.out);
  const Bytes all_but_one = bytes.size() - 1;
  pair_.server.Receive(AsBytes(std::string_view(bytes).substr(0, all_but_one)));
  EXPECT_EQ(pair_.server.Read().size(), 4'990U);
  pair_.server.Receive(AsBytes(std::string_view(bytes).substr(all_but_one)));
  EXPECT_EQ(pair_.server.Read(), "0123456789");
}

}  // namespace
}  // namespace connguard::testing
