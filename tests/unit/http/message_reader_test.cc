// MessageReader: where heads and bodies end, whatever the reads.
#include <memory>
#include <utility>
#include <vector>

#include "heads.h"
#include "http/message.h"

namespace connguard {
namespace {

using testing::kHeaderSize;
using testing::Outcome;
using testing::ReadAll;

const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

// Reads `message` with more behind it, in reads of every size, and expects just it to be taken.
template <typename Head>
void ExpectTakesJust(const std::string& message) {
  for (std::size_t step = 1; step <= message.size() + 4; ++step) {
    MessageReader<Head> reader(kHeaderSize);
    const Outcome outcome = ReadAll(reader, message + "NEXT", step);
    EXPECT_TRUE(outcome.head && outcome.done) << outcome.why << ", in reads of " << step;
    EXPECT_EQ(outcome.taken, message) << "in reads of " << step;
  }
}

TEST(MessageReaderTest, RequestWithoutABodyEndsWithItsHead) {
  ExpectTakesJust<RequestHead>("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectTakesJust<RequestHead>(kPost + "Content-Length: 0\r\n\r\n");
}

TEST(MessageReaderTest, HeadIsToldBeforeTheBody) {
  RequestReader reader(kHeaderSize);
  const std::string head = kPost + "Content-Length: 5\r\n\r\n";
  const auto first = reader.Feed(AsBytes(head + "hello"));
  EXPECT_EQ(first.status, RequestReader::Status::kHead);
  EXPECT_EQ(first.taken, head.size());
  EXPECT_EQ(reader.head().method, "POST");
  const auto part = reader.Feed(AsBytes("hel"));
  EXPECT_EQ(part.status, RequestReader::Status::kBody);
  EXPECT_EQ(part.taken, 3U);
  const auto rest = reader.Feed(AsBytes("lo+more"));
  EXPECT_EQ(rest.status, RequestReader::Status::kDone);
  EXPECT_EQ(rest.taken, 2U);
  EXPECT_EQ(reader.Feed(AsBytes("x")).taken, 0U);
}

// Fields are views: not of the input, which is gone, nor of where the reader was.
TEST(MessageReaderTest, WhatAHeadSaysGoesWhereItsReaderGoes) {
  const std::string long_value(200, 'x');
  const std::string text = kPost + "X-Long: " + long_value + "\r\nContent-Length: 2\r\n\r\n";
  for (const std::size_t step : {std::size_t{7}, text.size()}) {
    auto there = std::make_unique<RequestReader>(kHeaderSize);
    for (std::size_t at = 0; at < text.size(); at += step) {
      const std::string piece = text.substr(at, step);
      there->Feed(AsBytes(piece));
    }
    RequestReader here = std::move(*there);
    there.reset();
    ASSERT_EQ(here.Feed(AsBytes("ok")).status, RequestReader::Status::kDone);
    EXPECT_EQ(Find(here.head().fields, "Host"), "a") << "in reads of " << step;
    EXPECT_EQ(Find(here.head().fields, "X-Long"), long_value) << "in reads of " << step;
  }
}

TEST(MessageReaderTest, SecondFeedEvenWhenEmptySaysThatThereIsNoBody) {
  RequestReader reader(kHeaderSize);
  EXPECT_EQ(reader.Feed(AsBytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n")).status,
            RequestReader::Status::kHead);
  EXPECT_EQ(reader.Feed({}).status, RequestReader::Status::kDone);
}

TEST(MessageReaderTest, CountedBodyEndsWhereItSays) {
  ExpectTakesJust<RequestHead>(kPost + "Content-Length: 11\r\n\r\nhello world");
}

TEST(MessageReaderTest, ChunkedBodyEndsBehindItsTrailers) {
  ExpectTakesJust<RequestHead>(kChunked + "0\r\n\r\n");
  ExpectTakesJust<RequestHead>(kChunked + "5\r\nhello\r\n1;a=b;c=\"d e\"\r\nx\r\n000\r\n\r\n");
  ExpectTakesJust<RequestHead>(kChunked + "A\r\n0123\r\n6789\r\n0\r\nDigest: x\r\nY: z\r\n\r\n");
}

TEST(MessageReaderTest, LongChunksPassInAnyReads) {
  const std::string body = "1388\r\n" + std::string(5000, 'x') + "\r\n0\r\n\r\n";
  for (const std::size_t step : {1U, 13U, 255U, 256U, 257U, 1000U, 100'000U}) {
    RequestReader reader(kHeaderSize);
    const Outcome outcome = ReadAll(reader, kChunked + body + "NEXT", step);
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.taken, kChunked + body) << "in reads of " << step;
  }
}

TEST(MessageReaderTest, EachByteIsPassedOnceInAnyReads) {
  const std::string body = "5;" + std::string(600, 'e') + "=1\r\nhello\r\n" + "3e8\r\n" +
                           std::string(1000, 'x') + "\r\n0\r\nA: " + std::string(300, 't') +
                           "\r\n\r\n";
  for (std::size_t step = 1; step < 700; ++step) {
    RequestReader reader(kHeaderSize);
    const Outcome outcome = ReadAll(reader, kChunked + body + "NEXT", step);
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.body, body) << "in reads of " << step;
  }
}

TEST(MessageReaderTest, WholeChunkIsPassedBeforeTheNextBegins) {
  RequestReader reader(kHeaderSize);
  reader.Feed(AsBytes(kChunked));
  const auto passed = [&reader](std::string_view in) {
    const RequestReader::Result result = reader.Feed(AsBytes(in));
    return std::string(result.held) + std::string(in.substr(0, result.pass));
  };
  EXPECT_EQ(passed("3\r\nabc\r\n"), "3\r\nabc\r\n");
  EXPECT_EQ(passed("3\r\nabc\r"), "3\r\nabc");
  EXPECT_EQ(passed("\n"), "\r\n");
  EXPECT_EQ(passed("3;a"), "");
  EXPECT_EQ(passed("=b\r"), "");
  EXPECT_EQ(passed("\nabc\r\n0\r\n"), "3;a=b\r\nabc\r\n");
  EXPECT_EQ(passed("\r\n"), "0\r\n\r\n");
}

TEST(MessageReaderTest, IllegalChunkHeaderIsNotPassedEvenInPart) {
  for (const char* line : {"x", "5 ;", "5;\x01", "5\rx", "10000000000000000\r\n"}) {
    for (const std::size_t step : {1U, 2U, 100U}) {
      RequestReader reader(kHeaderSize);
      const Outcome outcome = ReadAll(reader, kChunked + "1\r\na\r\n" + line, step);
      EXPECT_EQ(std::string("1\r\na\r\n").substr(0, outcome.body.size()), outcome.body) << line;
    }
  }
}

TEST(MessageReaderTest, TrailersAreNoFieldsOfTheHead) {
  RequestReader reader(kHeaderSize);
  ReadAll(reader, kChunked + "0\r\nX-Late: 1\r\n\r\n", 1000);
  EXPECT_EQ(Find(reader.head().fields, "X-Late"), std::nullopt);
}

TEST(MessageReaderTest, IllegalChunksAreRefused) {
  const std::vector<std::string> kBodies = {
      "\r\n",
      "x\r\n",
      "-1\r\n",
      "0x5\r\nhello\r\n",
      " 5\r\nhello\r\n",
      "5\nhello\r\n0\r\n\r\n",
      "5 \r\nhello\r\n",
      "5\rhello",
      "5\r\nhelloX\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "10000000000000000\r\n",
      "5;\r\nhello\r\n",
      "5;a=\"\n\"\r\nhello\r\n",
      "5;a=\"\x01\"\r\nhello\r\n",
      "5;a=\"b\r\nhello\r\n0\r\n\r\n",  // Beast looks on for the end of the quotes
      "0;a=\"b\r\n\r\n",
      "0\r\nX : a\r\n\r\n",
      "0\r\nX: a\n\r\n\r\n",
      "0\r\nX: a\r\n b\r\n\r\n",
      "0\r\nX\r\n\r\n",
      "0\r\nContent-Length: 5\r\n\r\n",
      "0\r\nTransfer-Encoding: chunked\r\n\r\n",
      "0\r\nX: a\r\nhost: b\r\n\r\n",
      "0;" + std::string(2 * kHeaderSize, 'a'),
      "0\r\nX: " + std::string(2 * kHeaderSize, 'a'),
      "0\r\nX: " + std::string(2 * kHeaderSize, 'a') + "\r\n\r\n",
  };
  for (const std::string& body : kBodies) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, kChunked.size() + body.size()}) {
      RequestReader reader(kHeaderSize);
      const Outcome outcome = ReadAll(reader, kChunked + body, step);
      EXPECT_EQ(outcome.error, 400) << body << " in reads of " << step;
      EXPECT_FALSE(outcome.done);
    }
  }
}

TEST(MessageReaderTest, AfterAnErrorThereIsOnlyTheError) {
  RequestReader reader(kHeaderSize);
  EXPECT_EQ(reader.Feed(AsBytes("GET / HTTP/3.0\r\n\r\n")).http_status, 400);
  EXPECT_EQ(reader.Feed(AsBytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n")).http_status, 400);
  EXPECT_EQ(reader.End().http_status, 400);
}

TEST(MessageReaderTest, ResponseWithoutALengthEndsWithItsConnection) {
  ResponseReader reader(kHeaderSize);
  const Outcome outcome = ReadAll(reader, "HTTP/1.1 200 OK\r\n\r\nsome body", 4);
  EXPECT_FALSE(outcome.done);
  EXPECT_EQ(outcome.taken, "HTTP/1.1 200 OK\r\n\r\nsome body");
  EXPECT_TRUE(reader.until_close());
  EXPECT_EQ(reader.End().status, ResponseReader::Status::kDone);
}

TEST(MessageReaderTest, StreamThatEndsTooEarlyIsAnError) {
  for (const char* text : {"", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    ResponseReader reader(kHeaderSize);
    ReadAll(reader, text, 1000);
    EXPECT_EQ(reader.End().status, ResponseReader::Status::kError) << text;
  }
}

TEST(MessageReaderTest, CompleteMessageMayEnd) {
  ResponseReader reader(kHeaderSize);
  ReadAll(reader, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1000);
  EXPECT_EQ(reader.End().status, ResponseReader::Status::kDone);
  EXPECT_FALSE(reader.until_close());
}

TEST(MessageReaderTest, SomeResponsesHaveNoBodyWhateverTheySay) {
  ExpectTakesJust<ResponseHead>("HTTP/1.1 100 Continue\r\n\r\n");
  ExpectTakesJust<ResponseHead>("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
  ExpectTakesJust<ResponseHead>("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n");
  ExpectTakesJust<ResponseHead>("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n");
}

TEST(MessageReaderTest, AnswerToHeadHasNoBody) {
  ResponseReader reader(kHeaderSize);
  reader.ExpectNoBody();
  const Outcome outcome = ReadAll(reader, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nNEXT", 1000);
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.taken, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
}

TEST(MessageReaderTest, FinalAnswerFollowsAnInterimOneInANewReader) {
  const std::string stream =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";
  ResponseReader interim(kHeaderSize);
  const Outcome first = ReadAll(interim, stream, 1000);
  EXPECT_EQ(interim.head().status, 100);
  ResponseReader final(kHeaderSize);
  EXPECT_TRUE(ReadAll(final, stream.substr(first.taken.size()), 1000).done);
  EXPECT_EQ(final.head().status, 201);
}

TEST(MessageReaderTest, ReaderCanBeMoved) {
  RequestReader reader(kHeaderSize);
  reader.Feed(AsBytes("GET /moved HT"));
  RequestReader other = std::move(reader);
  EXPECT_EQ(other.Feed(AsBytes("TP/1.1\r\nHost: a\r\n\r\n")).status, RequestReader::Status::kHead);
  EXPECT_EQ(other.head().target, "/moved");
}

}  // namespace
}  // namespace connguard
