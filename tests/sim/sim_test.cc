// Random clients, backends, drops and stalls over the whole core, again and again.
//
// CONNGUARD_SIM_SEED: of the first world (1). CONNGUARD_SIM_STEPS: actions in all (300000).
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "world.h"

namespace connguard::sim {
namespace {

constexpr std::uint64_t kStepsPerWorld = 3'000;

std::uint64_t Setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

std::uint64_t FirstSeed() { return Setting("CONNGUARD_SIM_SEED", 1); }

// The same world again, for what happened before the violation.
std::string Replay(std::uint64_t seed, Fault fault) {
  World world(seed, fault, true);
  world.Run(kStepsPerWorld);
  return world.Report();
}

TEST(SimulationTest, NoWorldBreaksAnInvariant) {
  const std::uint64_t steps = Setting("CONNGUARD_SIM_STEPS", 300'000);
  std::uint64_t seed = FirstSeed();
  std::map<std::string, std::uint64_t> seen;
  for (std::uint64_t done = 0; done < steps; ++seed) {
    World world(seed, Fault::kNone, false);
    done += world.Run(kStepsPerWorld);
    for (const auto& [what, times] : world.seen()) seen[what] += times;
    ASSERT_FALSE(world.failed()) << "CONNGUARD_SIM_SEED=" << seed << "\n"
                                 << Replay(seed, Fault::kNone);
  }
  std::cout << seed - FirstSeed() << " worlds\n";
  for (const auto& [what, times] : seen) std::cout << times << "\t" << what << "\n";
}

// A simulation that never gets to the rare cases proves nothing about them.
TEST(SimulationTest, TheRareCasesAreVisited) {
  std::map<std::string, std::uint64_t> seen;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    World world(seed, Fault::kNone, false);
    world.Run(kStepsPerWorld);
    for (const auto& [what, times] : world.seen()) seen[what] += times;
  }
  for (const char* what : {"grants that came too late",
                           "answers 101",
                           "answers 409",
                           "answers 502",
                           "answers 503",
                           "grants",
                           "supersedes",
                           "refuses",
                           "evicts",
                           "probes",
                           "closes upstream",
                           "replies upstream",
                           "resets upstream",
                           "ends client",
                           "tells a drop",
                           "asks barrier",
                           "releases",
                           "shielded turns given up",
                           "client_timeout",
                           "upstream_closed",
                           "upstream_handshake_timeout",
                           "upstream_lost",
                           "upstream_protocol",
                           "upstream_refused",
                           "upstream_reset",
                           "upstream_unreachable"}) {
    EXPECT_GT(seen[what], 0U) << what;
  }
}

// Each mistake of the glue is found within a few worlds, and for the right reason.
struct Mistake {
  Fault fault;
  const char* found_as;

  friend void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.found_as; }
};

class SimulationTeethTest : public testing::TestWithParam<Mistake> {};

TEST_P(SimulationTeethTest, AMistakeOfTheGlueIsFound) {
  for (std::uint64_t seed = FirstSeed(); seed < FirstSeed() + 20; ++seed) {
    World world(seed, GetParam().fault, false);
    world.Run(kStepsPerWorld);
    if (world.failed() && world.Report().find(GetParam().found_as) != std::string::npos) return;
  }
  FAIL() << "not found in 20 worlds: " << GetParam().found_as;
}

INSTANTIATE_TEST_SUITE_P(All, SimulationTeethTest,
                         testing::Values(Mistake{Fault::kReleasesOnDrop, "two live upstreams"},
                                         Mistake{Fault::kKeepsLateGrants, "a fence was left over"},
                                         Mistake{Fault::kTakesTokensForFinal, "closed in mid-turn"},
                                         Mistake{Fault::kForgetsItsTimer,
                                                 "a tunnel without an end"}));

}  // namespace
}  // namespace connguard::sim
