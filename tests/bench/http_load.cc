// Measures HTTP proxies: the origin behind them and the load before them, in one program.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/arguments.h"
#include "bench/generator.h"
#include "bench/origin.h"
#include "bench/workload.h"

namespace connguard::bench {
namespace {

constexpr std::string_view kUsage = R"(http_load origin [--port P] [--pace MICROSECONDS]
    serves on 127.0.0.1 until it is ended, and prints its port as JSON
http_load get|stream --to HOST:PORT [-c CONNECTIONS] [-t SECONDS]
    asks for a body or a stream of chunks, and prints what came of it as JSON;
    exit status 1 when an answer was wrong or missing
)";

LoadPlan MakePlan(const Arguments& arguments) {
  LoadPlan plan;
  plan.to = ParseAddress(arguments.Text("--to"));
  plan.connections = arguments.Count<std::size_t>("-c", 64);
  plan.duration = std::chrono::duration<double>(arguments.Count("-t", 3.0));
  if (arguments.command() == "get") {
    plan.target = kBodyTarget;
    plan.body_size = kBodySize;
  } else if (arguments.command() == "stream") {
    plan.target = kStreamTarget;
    plan.chunked = true;
    plan.body_size = kChunks * kChunkSize;
  } else {
    throw std::invalid_argument("no such command: " + arguments.command());
  }
  return plan;
}

int Run(const Arguments& arguments) {
  if (arguments.command() == "origin") {
    Origin origin(arguments.Count<std::uint16_t>("--port", 0),
                  std::chrono::microseconds(arguments.Count<std::int64_t>("--pace", 1000)));
    std::cout << R"({"port":)" << origin.port() << "}" << std::endl;
    origin.Run();
  }
  LoadFigures figures = Generator(MakePlan(arguments)).Run();
  std::cout << ToJson(figures) << std::endl;
  return figures.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace connguard::bench

int main(int count, char** words) {
  namespace bench = connguard::bench;
  return bench::RunProgram("http_load", bench::kUsage, [&] {
    return bench::Run({count, words, {"--port", "--pace", "--to", "-c", "-t"}});
  });
}
