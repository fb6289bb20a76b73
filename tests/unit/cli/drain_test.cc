// RunDrain against a guard's admin endpoint that says what a test wants.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/commands.h"

namespace connguard {
namespace {

const std::string kNever = "never";  // no answer, on a connection that stays

// Answers one connection after the other, and has gone after the last one.
class Endpoint {
 public:
  explicit Endpoint(std::vector<std::string> answers)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), answers_(std::move(answers)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    address_ = {.host = "127.0.0.1", .port = ntohs(name.sin_port), .path = {}};
    thread_ = std::thread([this] { Serve(); });
  }
  ~Endpoint() {
    shutdown(listener_, SHUT_RDWR);  // wakes an accept that nobody came for
    thread_.join();
    for (const int client : held_) close(client);
    close(listener_);
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  const Address& address() const { return address_; }
  // Only after the client is done.
  std::vector<std::string> Requests() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    thread_ = std::thread([] {});
    return requests_;
  }

 private:
  void Serve() {
    for (const std::string& answer : answers_) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) break;
      std::string request;
      char block[1024];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = recv(client, block, sizeof block, 0);
        if (got <= 0) break;
        request.append(block, static_cast<std::size_t>(got));
      }
      requests_.push_back(request);
      if (answer == kNever) {
        held_.push_back(client);
        continue;
      }
      send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      // The last one must find nobody when it asks again.
      if (&answer == &answers_.back()) shutdown(listener_, SHUT_RDWR);
      close(client);
    }
    shutdown(listener_, SHUT_RDWR);
  }

  const int listener_;
  std::vector<std::string> answers_;
  std::vector<std::string> requests_;
  std::vector<int> held_;
  Address address_;
  std::thread thread_;
};

std::string Answer(std::string_view status, const std::string& body) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string Draining(int left) {
  return R"({"state":"draining","deadline":"2026-03-07T09:08:05Z","left":)" + std::to_string(left) +
         "}";
}

std::string Off() { return R"({"state":"off","deadline":null,"left":0})"; }

struct Outcome {
  ExitStatus status = ExitStatus::kOk;
  std::string out;
  std::string err;
};

Outcome Drain(const Address& admin, bool wait = false, const std::string& token_file = {},
              Millis patience = Millis(10'000)) {
  std::ostringstream out;
  std::ostringstream err;
  const ExitStatus status = RunDrain({.admin = admin,
                                      .token_file = token_file,
                                      .wait = wait,
                                      .pace = Millis(1),
                                      .patience = patience},
                                     out, err);
  return {status, out.str(), err.str()};
}

TEST(DrainTest, ItIsToldAndSaysHowManyAreLeft) {
  Endpoint endpoint({Answer("202 Accepted", R"({"state":"delay","deadline":null,"left":1})")});
  const Outcome outcome = Drain(endpoint.address());
  EXPECT_EQ(outcome.status, ExitStatus::kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "delay: 1 tunnel left\n");
  EXPECT_EQ(
      endpoint.Requests(),
      std::vector<std::string>{"POST /v1/drain HTTP/1.1\r\nHost: " + endpoint.address().ToString() +
                               "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"});
}

TEST(DrainTest, TheFirstLineIsOfADrainThatHasBegun) {
  Endpoint endpoint(
      {Answer("202 Accepted", Off()), Answer("200 OK", Off()), Answer("200 OK", Draining(2))});
  const Outcome outcome = Drain(endpoint.address());
  EXPECT_EQ(outcome.status, ExitStatus::kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "draining: 2 tunnels left, at the longest until 2026-03-07T09:08:05Z\n");
}

TEST(DrainTest, OneThatDoesNotBeginIsAFailure) {
  std::vector<std::string> answers(2000, Answer("200 OK", Off()));
  answers.front() = Answer("202 Accepted", Off());
  const Endpoint endpoint(answers);
  const Outcome outcome = Drain(endpoint.address(), true, {}, Millis(200));
  EXPECT_EQ(outcome.status, ExitStatus::kRuntime);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.ends_with(": it was told, but has not begun to drain\n")) << outcome.err;
}

TEST(DrainTest, AGuardThatIsTooBusyToAnswerTheOrderIsWatchedAllTheSame) {
  for (const bool wait : {false, true}) {
    Endpoint endpoint({kNever, Answer("200 OK", Off()), Answer("200 OK", Draining(1)),
                       Answer("200 OK", Draining(0))});
    const Outcome outcome = Drain(endpoint.address(), wait, {}, Millis(300));
    EXPECT_EQ(outcome.status, ExitStatus::kOk) << outcome.err;
    EXPECT_EQ(outcome.err, "no answer yet; watching what becomes of it\n");
    EXPECT_TRUE(outcome.out.starts_with("draining: 1 tunnel left")) << outcome.out;
    EXPECT_EQ(outcome.out.ends_with("\nstopped\n"), wait) << outcome.out;
    EXPECT_TRUE(endpoint.Requests().at(1).starts_with("GET ")) << "it is ordered once";
  }
}

TEST(DrainTest, WhoWaitsSeesEachChangeAndTheEnd) {
  Endpoint endpoint({Answer("202 Accepted", Draining(2)), Answer("200 OK", Draining(2)),
                     Answer("200 OK", Draining(1)), Answer("200 OK", Draining(0))});
  const Outcome outcome = Drain(endpoint.address(), true);
  EXPECT_EQ(outcome.status, ExitStatus::kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "draining: 2 tunnels left, at the longest until 2026-03-07T09:08:05Z\n"
            "draining: 1 tunnel left, at the longest until 2026-03-07T09:08:05Z\n"
            "draining: 0 tunnels left, at the longest until 2026-03-07T09:08:05Z\n"
            "stopped\n");
  EXPECT_TRUE(endpoint.Requests().at(1).starts_with("GET /v1/drain HTTP/1.1\r\n"));
}

TEST(DrainTest, AnAnswerThatBreaksOffIsAskedForAgain) {
  Endpoint endpoint({Answer("202 Accepted", Draining(1)), "", "HTTP/1.1 200", ""});
  const Outcome outcome = Drain(endpoint.address(), true);
  EXPECT_EQ(outcome.status, ExitStatus::kOk) << outcome.err;
  EXPECT_TRUE(outcome.out.ends_with("left, at the longest until 2026-03-07T09:08:05Z\nstopped\n"));
}

TEST(DrainTest, AnotherGuardInItsPlaceIsTheEndToo) {
  Endpoint endpoint({Answer("202 Accepted", Draining(1)),
                     Answer("200 OK", R"({"state":"off","deadline":null,"left":7})"), "more"});
  const Outcome outcome = Drain(endpoint.address(), true);
  EXPECT_EQ(outcome.status, ExitStatus::kOk) << outcome.err;
  EXPECT_TRUE(outcome.out.ends_with("\nstopped\n"));
  EXPECT_EQ(endpoint.Requests().size(), 2U);
}

TEST(DrainTest, ATokenGoesAlong) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("connguard-token-" + std::to_string(getpid()));
  std::ofstream(file) << "s3cret\r\n";
  Endpoint endpoint({Answer("202 Accepted", Draining(0)), Answer("200 OK", Draining(0))});
  EXPECT_EQ(Drain(endpoint.address(), true, file).status, ExitStatus::kOk);
  for (const std::string& request : endpoint.Requests()) {
    EXPECT_NE(request.find("\r\nAuthorization: Bearer s3cret\r\n"), std::string::npos) << request;
  }
  std::ofstream(file, std::ios::trunc) << "\n";
  EXPECT_EQ(Drain(endpoint.address(), true, file).err,
            "cannot drain: there is no token in " + file.string() + "\n");
  std::filesystem::remove(file);
}

TEST(DrainTest, WhatGoesWrongIsSaid) {
  const auto why = [](const std::string& answer, bool wait = false) {
    std::vector<std::string> answers{answer};
    if (wait) answers.insert(answers.begin(), Answer("202 Accepted", Draining(3)));
    answers.push_back("more");
    const Endpoint endpoint(answers);
    const Outcome outcome = Drain(endpoint.address(), wait);
    EXPECT_EQ(outcome.status, ExitStatus::kRuntime);
    const std::string begin = "cannot drain: " + endpoint.address().ToString() + ": ";
    EXPECT_TRUE(outcome.err.starts_with(begin)) << outcome.err;
    return outcome.err.substr(std::min(begin.size(), outcome.err.size()));
  };
  EXPECT_EQ(why(Answer("401 Unauthorized", "{}")),
            "a token is needed, or another one (--token-file)\n");
  EXPECT_EQ(why(Answer("404 Not Found", "{}")), "HTTP/1.1 404 Not Found\n");
  EXPECT_EQ(why(Answer("202 Accepted", "[]")), "HTTP/1.1 202 Accepted\n");
  EXPECT_EQ(why("nonsense"), "the answer is not HTTP\n");
  EXPECT_EQ(why(Answer("500 Internal Server Error", "{}"), true),
            "HTTP/1.1 500 Internal Server Error\n");
}

TEST(DrainTest, NobodyThereIsNothingThatCouldDrain) {
  Address address;
  {
    address = Endpoint({}).address();
  }
  const Outcome outcome = Drain(address, true);
  EXPECT_EQ(outcome.status, ExitStatus::kRuntime);
  EXPECT_EQ(outcome.err, "cannot drain: " + address.ToString() + ": Connection refused\n");
}

}  // namespace
}  // namespace connguard
