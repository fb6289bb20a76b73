// Measures HTTP proxies: the origin behind them and the load before them, in one program.
#include <getopt.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

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

constexpr int kUsageError = 64;

struct Arguments {
  std::string command;
  std::uint16_t port = 0;
  std::int64_t pace = 1000;  // microseconds
  std::string to;
  std::size_t connections = 64;
  double seconds = 3;
};

template <typename Number>
void Parse(std::string_view text, Number& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || number < 0) {
    throw std::invalid_argument("not a number: " + std::string(text));
  }
}

Arguments ParseArguments(int count, char** words) {
  static const option kOptions[] = {{"port", required_argument, nullptr, 'p'},
                                    {"pace", required_argument, nullptr, 'w'},
                                    {"to", required_argument, nullptr, 'a'},
                                    {nullptr, 0, nullptr, 0}};
  Arguments arguments;
  for (int word = 0; (word = getopt_long(count, words, "c:t:", kOptions, nullptr)) != -1;) {
    switch (word) {
      case 'p':
        Parse(optarg, arguments.port);
        break;
      case 'w':
        Parse(optarg, arguments.pace);
        break;
      case 'a':
        arguments.to = optarg;
        break;
      case 'c':
        Parse(optarg, arguments.connections);
        break;
      case 't':
        Parse(optarg, arguments.seconds);
        break;
      default:
        throw std::invalid_argument("see above");
    }
  }
  if (optind + 1 != count) throw std::invalid_argument("one command is needed");
  arguments.command = words[optind];
  return arguments;
}

LoadPlan MakePlan(const Arguments& arguments) {
  LoadPlan plan;
  plan.to = ParseAddress(arguments.to);
  plan.connections = arguments.connections;
  plan.duration = std::chrono::duration<double>(arguments.seconds);
  if (arguments.command == "get") {
    plan.target = kBodyTarget;
    plan.body_size = kBodySize;
  } else if (arguments.command == "stream") {
    plan.target = kStreamTarget;
    plan.chunked = true;
    plan.body_size = kChunks * kChunkSize;
  } else {
    throw std::invalid_argument("no such command: " + arguments.command);
  }
  return plan;
}

// No error has a character that JSON would have to quote.
void Print(const LoadFigures& figures) {
  std::cout << R"({"ok":)" << (figures.ok() ? "true" : "false") << R"(,"answers":)"
            << figures.answers << R"(,"per_second":)" << figures.per_second << R"(,"opened":)"
            << figures.opened << R"(,"reads":)" << figures.reads << R"(,"errors":)"
            << figures.errors << R"(,"first_error":")" << figures.first_error << "\"}" << std::endl;
}

int Main(int count, char** words) {
  try {
    const Arguments arguments = ParseArguments(count, words);
    if (arguments.command == "origin") {
      Origin origin(arguments.port, std::chrono::microseconds(arguments.pace));
      std::cout << R"({"port":)" << origin.port() << "}" << std::endl;
      origin.Run();
    }
    const LoadFigures figures = Generator(MakePlan(arguments)).Run();
    Print(figures);
    return figures.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::invalid_argument& error) {
    std::cerr << "http_load: " << error.what() << "\n" << kUsage;
    return kUsageError;
  } catch (const std::exception& error) {
    std::cerr << "http_load: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
}

}  // namespace
}  // namespace connguard::bench

int main(int count, char** words) { return connguard::bench::Main(count, words); }
