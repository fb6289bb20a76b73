// The demo in one process: an agent that breaks, and the guard that keeps it from breaking.
#include "demo/run_demo.h"

#include <exception>
#include <iostream>
#include <stdexcept>

#include "app/guard.h"
#include "cli/commands.h"
#include "config/address.h"
#include "demo/agent.h"
#include "demo/demo_config.h"
#include "log/log.h"

namespace connguard {

namespace {

void SayWhereToLook(const Listening& listening, std::uint16_t agent_port) {
  const std::string address = listening.listeners.front().ToString();
  std::cout << "\n  connguard demo\n\n"
            << "  open      http://" << address << "/\n"
            << "  guarded   ws://" << address << "/ws/you\n"
            << "  bare      ws://127.0.0.1:" << agent_port
            << "/ws/you   (the same agent, unguarded)\n"
            << "  try       curl -si http://" << address << "/healthz\n";
  if (listening.admin) {
    std::cout << "  watch     http://" << listening.admin->ToString() << "/   (the live page)\n"
              << "  metrics   http://" << listening.admin->ToString() << "/metrics\n";
  }
  std::cout << "\n  Ctrl-C ends it.\n\n" << std::flush;
}

Config ConfigFor(const CommandLine& line, const Address& listen, std::uint16_t agent_port) {
  Config config = DemoConfig(listen, agent_port);
  if (line.admin) {
    const std::string exposed = ApplyAdminFlag(*line.admin, config);
    if (!exposed.empty()) throw std::runtime_error("--admin: " + exposed);
  }
  if (line.workers) config.workers = *line.workers;
  if (line.log_level) config.logging.level = *line.log_level;
  config.logging.format = line.log_format.value_or(LogFormat::kText);
  return config;
}

}  // namespace

ExitStatus RunDemo(const CommandLine& line) {
  const Parsed<Address> listen = ParseAddress(line.listen, true);
  const Parsed<Address> agent_listen = ParseAddress(line.agent_listen, true);
  if (!listen || !agent_listen) {
    std::cerr << "connguard: demo: " << (listen ? agent_listen : listen).error << "\n";
    return ExitStatus::kUsage;
  }
  try {
    const DemoAgent agent(*agent_listen.value);
    const Config config = ConfigFor(line, *listen.value, agent.port());
    StartLogging(config.logging);
    RunGuard(config, {},
             [&](const Listening& listening) { SayWhereToLook(listening, agent.port()); });
    StopLogging();
  } catch (const std::exception& error) {
    StopLogging();
    std::cerr << "connguard: " << error.what() << "\n";
    return ExitStatus::kRuntime;
  }
  return ExitStatus::kOk;
}

}  // namespace connguard
