// What a reload says that it changes, and what it leaves to a restart.
#include "config/reload_plan.h"

#include <gtest/gtest.h>

#include "cases.h"
#include "dump.h"

namespace connguard {
namespace {

using Lines = std::vector<std::string>;
using Changes = std::map<int, std::string>;

Config Load(const Changes& changes) {
  const LoadResult result =
      LoadConfigText(TextOf({"", changes, ""}), "x.yaml", TestEnvironment(), {});
  EXPECT_TRUE(result.config) << Complaints(result);
  return result.config.value_or(Config{});
}

struct PlanCase {
  std::string name;
  Changes before;
  Changes after;
  Lines live;
  Lines restart;
};
void PrintTo(const PlanCase& one, std::ostream* out) { *out << one.name; }

class ReloadPlanTest : public testing::TestWithParam<PlanCase> {};

TEST_P(ReloadPlanTest, SaysWhatChanges) {
  const ReloadPlan plan = PlanReload(Load(GetParam().before), Load(GetParam().after));
  EXPECT_EQ(plan.live, GetParam().live);
  EXPECT_EQ(plan.restart, GetParam().restart);
}

// What is said to be live is what comes into force, and nothing else.
TEST_P(ReloadPlanTest, AppliesWhatIsLive) {
  const Config before = Load(GetParam().before);
  const ReloadPlan plan = PlanReload(before, Load(GetParam().after));
  EXPECT_EQ(PlanReload(before, plan.applicable).live, GetParam().live);
  EXPECT_EQ(PlanReload(before, plan.applicable).restart, Lines());
  EXPECT_EQ(Dump(plan.applicable) == Dump(before), GetParam().live.empty());
}

const PlanCase kPlans[] = {
    {"Nothing", {}, {}, {}, {}},
    {"TheSameInOtherWords", {}, {{12, "limits: {buffer: 256KiB}"}}, {}, {}},
    {"AKey",
     {},
     {{12, "    session: {settle: 50ms}"}},
     {"routes.chat: session.settle: 100ms -> 50ms"},
     {}},
    {"AKeyOfATopLevelSection",
     {},
     {{12, "limits: {connections: 5}"}},
     {"limits: connections: 10000 -> 5"},
     {}},
    {"AList",
     {{12, "    session: {key: \"{path.id}\"}"}},
     {{12, "    session: {key: [\"{path.id}\", user]}"}},
     {"routes.chat: session.key: [\"{path.id}\"] -> [\"{path.id}\", user]"},
     {}},
    {"ARouteMore",
     {},
     {{12, "  - {name: rest, match: {path: \"/**\"}, upstream: agent}"}},
     {"routes.rest: added"},
     {}},
    {"ARouteLess",
     {{12, "  - {name: rest, match: {path: \"/**\"}, upstream: agent}"}},
     {},
     {"routes.rest: removed"},
     {}},
    {"RoutesInAnotherOrder",
     {{12, "  - {name: rest, match: {path: /r}, upstream: agent}"}},
     {{9, "  - {name: rest, match: {path: /r}, upstream: agent}"},
      {10, "  - name: chat"},
      {11, "    match: {path: \"/ws/{id}\"}"},
      {12, "    upstream: agent"}},
     {"routes: order: chat, rest -> rest, chat"},
     {}},
    {"AnUpstreamElsewhere",
     {},
     {{7, "    url: http://127.0.0.1:1866"}},
     {"upstreams.agent: url: http://127.0.0.1:1865 -> http://127.0.0.1:1866"},
     {}},
    {"TrustedProxies",
     {},
     {{4, "    bind: 127.0.0.1:8080\n    trusted_proxies: [10.0.0.0/8]"}},
     {"listeners.public: trusted_proxies: [] -> [10.0.0.0/8]"},
     {}},
    {"Sockets",
     {},
     {{4, "    bind: 127.0.0.1:8081\n    trusted_proxies: [10.0.0.0/8]"}},
     {},
     {"listeners.public: bind: 127.0.0.1:8080 -> 127.0.0.1:8081",
      "listeners.public: trusted_proxies: [] -> [10.0.0.0/8]"}},
    {"AListenerMore",
     {},
     {{4, "    bind: 127.0.0.1:8080\n  - {name: more, bind: \"127.0.0.1:8081\"}"}},
     {},
     {"listeners.more: added"}},
    {"WorkersAndAdmin",
     {{12, "workers: 2"}},
     {{12, "workers: 4"}, {13, "admin: off"}},
     {},
     {"workers: 2 -> 4", "admin: {...} -> off"}},
    {"AdminAgain", {{12, "admin: off"}}, {}, {}, {"admin: off -> {...}"}},
    {"BothKinds",
     {},
     {{12, "workers: 4"}, {13, "logging: {level: debug}"}},
     {"logging: level: info -> debug"},
     {"workers: auto -> 4"}},
};

std::string NameOfPlan(const testing::TestParamInfo<PlanCase>& param) { return param.param.name; }

INSTANTIATE_TEST_SUITE_P(Reload, ReloadPlanTest, testing::ValuesIn(kPlans), NameOfPlan);

}  // namespace
}  // namespace connguard
