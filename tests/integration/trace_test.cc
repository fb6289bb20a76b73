// W3C trace context: passed on, begun, and found again in the log.
#include <string>
#include <string_view>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

constexpr std::string_view kId = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view kFields =
    "TraceParent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n"
    "tracestate: a=1,b=2\r\nTracestate: c=3\r\n";

class TraceTest : public GuardTest {
 protected:
  void Start(std::string_view traceparent = "true") {
    StartGuard({.traceparent = std::string(traceparent)});
  }

  // The trace id of a request that must have one new traceparent, the guard's.
  static std::string NewId(const std::string& request) {
    constexpr std::string_view kMark = "\r\ntraceparent: 00-";
    const std::size_t at = request.find(kMark);
    EXPECT_NE(at, std::string::npos) << request;
    EXPECT_EQ(request.find("raceparent", at + kMark.size()), std::string::npos) << request;
    if (at == std::string::npos) return {};
    EXPECT_EQ(request.substr(at + kMark.size() + 32 + 17, 5), "-01\r\n") << request;
    return request.substr(at + kMark.size(), 32);
  }

  void ExpectLogged(std::string_view event, std::string_view trace) {
    EXPECT_NE(guard().AwaitLine("\"event\":\"" + std::string(event) + "\"",
                                "\"trace\":\"" + std::string(trace) + "\""),
              "");
  }
};

TEST_F(TraceTest, AHandshakesTraceGoesOnAsItCame) {
  Start();
  TestClient client = guard().Connect();
  client.SendHandshake("/ws/ann", kFields);
  OriginLeg origin = origin_.Accept();
  const std::string request = origin.ReadRequest();
  EXPECT_NE(request.find(kFields), std::string::npos) << request;
  EXPECT_EQ(request.find("\r\ntraceparent:"), std::string::npos) << request;
  origin.Send(OriginLeg::Upgraded());
  client.ExpectStatus(101);
  client.SendClose(1000);
  origin.ReadClose();
  origin.SendClose(1000);
  origin.Close();
  ExpectLogged("tunnel_closed", kId);
}

TEST_F(TraceTest, AHandshakeWithoutTraceBeginsOne) {
  Start();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  const std::string id = NewId(origin.ReadRequest());
  origin.Send(OriginLeg::Upgraded());
  client.ExpectStatus(101);
  client.Reset();
  origin.ReadClose();
  origin.SendClose(1000);
  origin.Close();
  ExpectLogged("tunnel_closed", id);
}

TEST_F(TraceTest, AnInvalidTraceIsReplacedAndItsStateGoes) {
  Start();
  TestClient client = guard().Connect();
  client.SendHandshake("/ws/ann", "Traceparent: 00-1-2-01\r\nTracestate: a=1\r\n");
  const std::string request = origin_.Accept().ReadRequest();
  NewId(request);
  EXPECT_EQ(request.find("Traceparent"), std::string::npos);
  EXPECT_EQ(request.find("Tracestate"), std::string::npos);
}

TEST_F(TraceTest, PlainRequestsOfOneConnectionBelongToTracesOfTheirOwn) {
  Start();
  TestClient client = guard().Connect();
  client.Send("GET /a HTTP/1.1\r\nHost: guard.example\r\n\r\n");
  OriginLeg origin = origin_.Accept();
  const std::string first = NewId(origin.ReadRequest());
  origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  client.ExpectStatus(200);
  client.Send("GET /b HTTP/1.1\r\nHost: guard.example\r\n\r\n");
  const std::string second = NewId(origin.ReadRequest());
  EXPECT_NE(first, second);
  origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  client.ExpectStatus(200);
  origin.Reset();
  ExpectLogged("answer_cut", second);
}

TEST_F(TraceTest, ARefusalNamesTheTraceThatTheBackendNeverSaw) {
  Start();
  origin_.Close();
  TestClient client = guard().Connect();
  client.Send("GET /a HTTP/1.1\r\nHost: guard.example\r\n" + std::string(kFields) + "\r\n");
  client.ExpectStatus(502);
  ExpectLogged("refused", kId);
}

TEST_F(TraceTest, SwitchedOffItAddsNothingAndTakesNothing) {
  Start("false");
  TestClient client = guard().Connect();
  client.SendHandshake("/ws/ann");
  OriginLeg origin = origin_.Accept();
  EXPECT_EQ(origin.ReadRequest().find("trace"), std::string::npos);
  origin.Close();
  client.ExpectStatus(502);
  ExpectLogged("refused", "");
  TestClient odd = guard().Connect();
  odd.SendHandshake("/ws/bob", "traceparent: odd\r\ntracestate: a\r\n");
  EXPECT_NE(origin_.Accept().ReadRequest().find("traceparent: odd\r\ntracestate: a\r\n"),
            std::string::npos);
}

}  // namespace
}  // namespace connguard::testing
