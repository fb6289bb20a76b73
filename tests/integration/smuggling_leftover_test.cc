// Bytes that an origin sends behind a whole answer belong to nobody: they end its connection.
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <system_error>

#include "smuggling.h"

namespace connguard::testing {
namespace {

struct Surplus {
  std::string name;
  std::string request;
  std::string answer;    // whole
  std::string expected;  // of its body, at the client
  std::string behind;    // not part of it
};

const std::string kAnother = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";

std::vector<Surplus> Table() {
  const std::string get = Get("");
  const std::string head = Ask("HEAD / HTTP/1.1");
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  return {
      {"Length", get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", kAnother},
      {"LengthZero", get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", kAnother},
      {"Chunked", get, chunked + "2\r\nok\r\n0\r\n\r\n", "2\r\nok\r\n0\r\n\r\n", kAnother},
      {"Trailers", get, chunked + "0\r\nX: a\r\n\r\n", "0\r\nX: a\r\n\r\n", kAnother},
      {"NoContent", get, "HTTP/1.1 204 No Content\r\n\r\n", "", kAnother},
      {"NotModified", get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 8\r\n\r\n", "", kAnother},
      {"Head", head, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", "", kAnother},
      {"BodyOfHead", head, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", "", "smuggled"},
      {"ChunksOfHead", head, chunked, "", "8\r\nsmuggled\r\n0\r\n\r\n"},
      {"BodyOfNotModified", get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 8\r\n\r\n", "",
       "smuggled"},
      {"BodyOfNoContent", get, "HTTP/1.1 204 No Content\r\n\r\n", "", "smuggled"},
      {"EmptyLine", get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", "\r\n"},
      {"Interim", get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok",
       "HTTP/1.1 100 Continue\r\n\r\n"},
      {"Refusal", head, "HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\n", "", kAnother},
  };
}

class SmugglingLeftoverTest : public SmugglingTest {
 protected:
  // The answer reaches this client alone; the next request gets another connection, and its own
  // answer. `pause`: the surplus comes when the answer has been read.
  void ExpectOnlyItsOwn(const Surplus& one, bool pause) {
    watch_.Close();  // the guard keeps none from before
    TestClient client = guard().Connect();
    client.Send(one.request);
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send(one.answer + (pause ? "" : one.behind));
    client.ReadAnswer();
    EXPECT_EQ(client.Read(one.expected.size()), one.expected);
    if (pause) {
      try {
        origin.Send(one.behind);
      } catch (const std::system_error&) {
        // The guard has closed it already.
      }
    }
    EXPECT_EQ(origin.ReadToEnd(), "");  // it is of no more use
    EXPECT_EQ(watch_.Probe(guard().Connect()), std::vector<std::string>{});
    client.Finish();
    EXPECT_EQ(client.ReadToEnd(), "");
  }
};

TEST_F(SmugglingLeftoverTest, ReachesNobodyInOneSegment) {
  ForEach<Surplus>(Table(), [this](const Surplus& one, bool) { ExpectOnlyItsOwn(one, false); });
}

TEST_F(SmugglingLeftoverTest, ReachesNobodyBehindAPause) {
  ForEach<Surplus>(Table(), [this](const Surplus& one, bool) { ExpectOnlyItsOwn(one, true); });
}

// The guard reads so much at once: what is behind it is still in the socket when the answer is
// whole and a request that has waited for its turn takes the connection. A unix socket, for such a
// one holds all of it at once.
TEST_F(SmugglingLeftoverTest, ReachesNoRequestThatWaits) {
  constexpr std::size_t kRead = 128 * 1024;
  const std::string path = std::filesystem::temp_directory_path() /
                           ("connguard-leftover-" + std::to_string(getpid()) + ".sock");
  TestOrigin upstream(path);
  StartGuard({.upstream = upstream.url()});
  for (const std::string second : {"GET /two HTTP/1.1", "POST /two HTTP/1.1"}) {
    SCOPED_TRACE(second);
    TestClient client = guard().Connect();
    client.Send(Ask("GET /one HTTP/1.1") +
                Ask(second, "Connection: close\r\nContent-Length: 0\r\n"));
    OriginLeg origin = upstream.Accept();
    EXPECT_TRUE(origin.ReadRequest().starts_with("GET /one "));
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n";
    const std::string body(kRead - head.size(), 'x');
    guard().Signal(SIGSTOP);
    origin.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body + kAnother);
    guard().Signal(SIGCONT);
    client.ExpectStatus(200);
    EXPECT_EQ(client.Read(body.size()), body);
    if (upstream.NobodyComes(kPatience)) {
      FAIL() << "the connection is used again; the client has got " << client.ReadToEnd();
    }
    OriginLeg fresh = upstream.Accept();
    EXPECT_EQ(fresh.ReadRequest().substr(0, second.size()), second);
    fresh.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    fresh.Finish();
    client.ExpectStatus(404);
    EXPECT_EQ(client.ReadToEnd(), "");
    EXPECT_EQ(origin.ReadToEnd(), "");
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace connguard::testing
