// Measures WebSocket proxies: the origin behind them and the load before them, in one program.
#include <sys/prctl.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/arguments.h"
#include "bench/loads.h"
#include "bench/relay.h"
#include "bench/ws_origin.h"

namespace connguard::bench {
namespace {

constexpr std::string_view kUsage = R"(ws_load origin [--port P] [--pace MICROSECONDS]
    echoes messages and sends streams on 127.0.0.1 until it is ended, and prints its port as JSON
ws_load relay --to HOST:PORT [--port P]
    passes bytes on, as above
ws_load echo|rate|stream|connect|idle --to HOST:PORT [OPTION VALUE]…
    prints that it is ready, waits for a line, runs, prints what came of it as JSON, waits for a line;
    exit status 1 when an answer was wrong or missing
  -c CONNECTIONS  -t SECONDS  --tls 0|1
  --size BYTES  --shape letters|json   of the messages
  --outstanding N                      of echo: messages on each connection
  --rate N  --idle N                   of rate: messages per second, and idle tunnels besides
  --tokens N  --pace MICROSECONDS      of stream: tokens of one answer, and the origin's pace
)";

Message::Shape ParseShape(const std::string& word) {
  if (word == "letters") return Message::Shape::kLetters;
  if (word == "json") return Message::Shape::kJson;
  throw std::invalid_argument("no such shape: " + word);
}

std::chrono::microseconds Pace(const Arguments& arguments) {
  return std::chrono::microseconds(arguments.Count<std::int64_t>("--pace", 20'000));
}

WsPlan MakePlan(const Arguments& arguments, SSL_CTX* tls) {
  WsPlan plan;
  plan.to = ParseAddress(arguments.Text("--to"));
  plan.tls = arguments.Count("--tls", 0) == 0 ? nullptr : tls;
  plan.connections = arguments.Count("-c", plan.connections);
  plan.size = arguments.Count("--size", plan.size);
  plan.shape = ParseShape(arguments.Text("--shape", "letters"));
  plan.outstanding = arguments.Count("--outstanding", plan.outstanding);
  plan.rate = arguments.Count("--rate", plan.rate);
  plan.idle = arguments.Count("--idle", plan.idle);
  plan.tokens = arguments.Count("--tokens", plan.tokens);
  plan.pace = Pace(arguments);
  plan.duration = std::chrono::duration<double>(arguments.Count("-t", 3.0));
  if (plan.connections == 0 || plan.outstanding == 0 || plan.rate == 0 || plan.tokens == 0) {
    throw std::invalid_argument("a number above 0 is needed");
  }
  return plan;
}

std::unique_ptr<Load> MakeLoad(const std::string& command, WsPlan plan) {
  if (command == "echo") return std::make_unique<EchoLoad>(plan);
  if (command == "rate") return std::make_unique<RateLoad>(plan);
  if (command == "stream") return std::make_unique<StreamLoad>(plan);
  if (command == "connect") return std::make_unique<ConnectLoad>(plan);
  if (command != "idle") throw std::invalid_argument("no such command: " + command);
  plan.duration = {};
  return std::make_unique<IdleLoad>(plan);
}

template <typename Server>
[[noreturn]] void Serve(Server& server) {
  std::cout << R"({"port":)" << server.port() << "}" << std::endl;
  server.Run();
}

int Run(const Arguments& arguments) {
  const std::uint16_t port = arguments.Count<std::uint16_t>("--port", 0);
  if (arguments.command() == "origin") {
    WsOrigin origin(port, Pace(arguments));
    Serve(origin);
  }
  if (arguments.command() == "relay") {
    Relay relay(port, ParseAddress(arguments.Text("--to")));
    Serve(relay);
  }
  const TlsContext tls = ClientTls();
  const LoadFigures figures = MakeLoad(arguments.command(), MakePlan(arguments, tls.get()))->Run();
  return figures.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace connguard::bench

int main(int count, char** words) {
  namespace bench = connguard::bench;
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1UL);  // ns: what is due is sent then
  return bench::RunProgram("ws_load", bench::kUsage, [&] {
    return bench::Run({count,
                       words,
                       {"--port", "--pace", "--to", "-c", "-t", "--tls", "--size", "--shape",
                        "--outstanding", "--rate", "--idle", "--tokens"}});
  });
}
