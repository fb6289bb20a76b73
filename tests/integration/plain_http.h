// Requests and answers of plain HTTP, for the tests of what becomes of them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "support/guard_test.h"

namespace connguard::testing {

inline constexpr std::string_view kEmptyAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

// `fields`: lines, each with its CRLF.
inline std::string Request(std::string_view line, std::string_view fields = "") {
  return std::string(line) + " HTTP/1.1\r\nHost: guard.example\r\n" + std::string(fields) + "\r\n";
}

inline std::string Answer200(std::string_view body, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class PlainHttpTest : public GuardTest {
 protected:
  TestClient Send(const std::string& request) {
    TestClient client = guard().Connect();
    client.Send(request);
    return client;
  }

  // A request whose head has come to the origin, on a connection of its own.
  Ends Ask(const std::string& request) {
    TestClient client = Send(request);
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    return {std::move(client), std::move(origin)};
  }

  // What the client gets next is this answer, byte for byte.
  static void ExpectBytes(Peer& client, std::string_view expected) {
    EXPECT_EQ(client.Read(expected.size()), expected);
  }

  static void ExpectEnd(Peer& peer, PeerEnd expected) {
    PeerEnd end{};
    EXPECT_EQ(peer.ReadToEnd(&end), "");
    EXPECT_EQ(end, expected);
  }
};

}  // namespace connguard::testing
