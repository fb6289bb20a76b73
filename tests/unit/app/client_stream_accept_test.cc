// ClientStream: messages that the turn profile judges before it passes them on.
#include <gtest/gtest.h>

#include "stream_record.h"

namespace connguard {
namespace {

using testing::ClientRecord;
using testing::Frame;
using testing::Octets;
using testing::Record;
using testing::operator+;

constexpr std::string_view kObject = R"({"text":"hello"})";

Octets Message(std::string_view payload, int fragments) {
  Octets bytes;
  for (int i = 0; i < fragments; ++i) {
    const bool last = i + 1 == fragments;
    const std::size_t size = last ? payload.size() : payload.size() / 2;
    bytes =
        std::move(bytes) +
        Frame({.opcode = static_cast<std::uint8_t>(i == 0 ? 1 : 0), .fin = last, .masked = true},
              payload.substr(0, size));
    payload.remove_prefix(size);
  }
  return bytes;
}

class ClientStreamAcceptTest : public ::testing::Test {
 protected:
  ClientStreamAcceptTest() { profile_.accept_json_object = true; }

  // Feeds a good message and then `bytes` to a new stream, in reads of `size`.
  ClientRecord Judge(const Octets& bytes, std::size_t size) {
    ClientRecord sink;
    ClientStream stream({.masked = true}, profile_, inspector_, sink);
    stream.Feed(Message("{}", 1));
    std::span<const std::uint8_t> rest(bytes);
    while (!rest.empty() && !sink.violated) {
      const Octets read(rest.begin(),
                        rest.begin() + static_cast<std::ptrdiff_t>(std::min(size, rest.size())));
      stream.Feed(read);
      rest = rest.subspan(read.size());
    }
    return sink;
  }

  TurnProfile profile_;
  JsonInspector inspector_;
};

TEST_F(ClientStreamAcceptTest, AnObjectPassesByteExactWholeFragmentedAndSplit) {
  for (const int fragments : {1, 2, 4}) {
    for (const std::size_t size : {1U, 5U, 1000U}) {
      SCOPED_TRACE(std::to_string(fragments) + " fragments, reads of " + std::to_string(size));
      const Octets message = Message(kObject, fragments);
      const ClientRecord sink = Judge(message + message, size);
      EXPECT_FALSE(sink.violated);
      EXPECT_EQ(sink.record.passed(), Message("{}", 1) + message + message);
      EXPECT_EQ(sink.record.passes(), 3) << "each message in one call";
    }
  }
}

TEST_F(ClientStreamAcceptTest, NothingOfARefusedTextIsPassedOn) {
  for (const std::string_view payload :
       {"[1,2]", "not JSON", "\"text\"", "42", "{\"half\":", "{\"bad\":\"\xFF\"}", "", "{} {}"}) {
    for (const int fragments : {1, 2, 4}) {
      for (const std::size_t size : {1U, 5U, 1000U}) {
        SCOPED_TRACE(std::string(payload) + ": " + std::to_string(fragments) +
                     " fragments, reads of " + std::to_string(size));
        const ClientRecord sink = Judge(Message(payload, fragments) + Message("{}", 1), size);
        EXPECT_EQ(sink.record.entries(),
                  (std::vector<std::string>{"begin", Record::Bytes(Message("{}", 1)),
                                            Record::Violation(CloseCause::kClientInvalid)}));
      }
    }
  }
}

TEST_F(ClientStreamAcceptTest, ABinaryMessageIsRefusedAtItsFirstByte) {
  // Only the header and one byte of the payload have come.
  const Octets frame = Frame({.opcode = 2, .masked = true}, kObject);
  const ClientRecord sink = Judge(Octets(frame.begin(), frame.begin() + 7), 1000);
  EXPECT_EQ(sink.record.entries(),
            (std::vector<std::string>{"begin", Record::Bytes(Message("{}", 1)),
                                      Record::Violation(CloseCause::kClientUnacceptable)}));
}

TEST_F(ClientStreamAcceptTest, AMessageIsJudgedBeforeItsTurnBegins) {
  ClientRecord sink;
  ClientStream stream({.masked = true}, profile_, inspector_, sink);
  const Octets message = Message(kObject, 2);
  stream.Feed(std::span(message).first(message.size() - 1));
  EXPECT_TRUE(sink.record.entries().empty());
  EXPECT_TRUE(stream.at_frame_boundary()) << "nothing of it is under way";
  stream.Feed(std::span(message).last(1));
  EXPECT_EQ(sink.record.entries(), (std::vector<std::string>{"begin", Record::Bytes(message)}));
}

TEST_F(ClientStreamAcceptTest, APingBetweenFragmentsIsNotPartOfTheMessage) {
  ClientRecord sink;
  ClientStream stream({.masked = true}, profile_, inspector_, sink);
  const Octets first = Frame({.opcode = 1, .fin = false, .masked = true}, "{\"a\"");
  const Octets ping = Frame({.opcode = 9, .masked = true}, "beat");
  const Octets last = Frame({.opcode = 0, .masked = true}, ":1}");
  stream.Feed(first + ping + last);
  EXPECT_EQ(sink.record.entries(),
            (std::vector<std::string>{Record::Control(Opcode::kPing, "beat"), "begin",
                                      Record::Bytes(first + last)}));
}

TEST_F(ClientStreamAcceptTest, AcceptedMessagesWaitForTheWindowInOrder) {
  ClientRecord sink;
  sink.open = 1;
  ClientStream stream({.masked = true}, profile_, inspector_, sink);
  const Octets one = Message(R"({"n":1})", 1);
  const Octets two = Message(R"({"n":2})", 3);
  const Octets three = Message(R"({"n":3})", 1);
  stream.Feed(one + two + three);
  EXPECT_EQ(sink.record.passed(), one);
  EXPECT_EQ(stream.held(), (two + three).size());
  sink.open = 1;
  stream.Release();
  EXPECT_EQ(sink.record.passed(), one + two);
  sink.open = 1;
  stream.Release();
  EXPECT_EQ(sink.record.passed(), one + two + three);
  EXPECT_EQ(stream.held(), 0U);
}

TEST_F(ClientStreamAcceptTest, TheBeginningOfAMessageToBeJudgedIsNeverReleased) {
  ClientRecord sink;
  sink.open = 1;
  ClientStream stream({.masked = true}, profile_, inspector_, sink);
  const Octets one = Message(R"({"n":1})", 1);
  const Octets bad = Message("[1,2,3]", 2);
  stream.Feed(one + Octets(bad.begin(), bad.end() - 1));
  sink.open = 5;
  stream.Release();
  EXPECT_EQ(sink.record.passed(), one);
  stream.Feed(std::span(bad).last(1));
  EXPECT_EQ(sink.record.passed(), one);
  EXPECT_EQ(sink.record.entries().back(), Record::Violation(CloseCause::kClientInvalid));
}

}  // namespace
}  // namespace connguard
