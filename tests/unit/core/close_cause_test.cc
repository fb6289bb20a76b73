// The table of close causes.
#include "connguard/close_cause.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <vector>

namespace connguard {
namespace {

std::vector<CloseCause> AllCauses() {
  std::vector<CloseCause> causes;
  for (std::size_t i = 0; i < kCloseCauses; ++i) causes.push_back(static_cast<CloseCause>(i));
  return causes;
}

TEST(CloseCauseTest, EveryCauseHasItsOwnRowAndWord) {
  std::set<std::string_view> words;
  for (const CloseCause cause : AllCauses()) {
    EXPECT_EQ(Describe(cause).cause, cause);
    EXPECT_TRUE(words.insert(Describe(cause).word).second) << Describe(cause).word;
  }
}

TEST(CloseCauseTest, EveryWordIsAMetricLabel) {
  for (const CloseCause cause : AllCauses()) {
    EXPECT_EQ(Describe(cause).word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"),
              std::string_view::npos);
    const std::string_view by = Describe(cause).by;
    EXPECT_TRUE(by == "client" || by == "upstream" || by == "guard") << by;
  }
}

TEST(CloseCauseTest, NoCodeThatRfc6455ForbidsGoesOnTheWire) {
  for (const CloseCause cause : AllCauses()) {
    for (const CloseCode code : {Describe(cause).to_client, Describe(cause).to_upstream}) {
      if (code == CloseCode::kNone || code == CloseCode::kAbnormal) continue;
      const auto n = static_cast<unsigned>(code);
      EXPECT_TRUE((n >= 1000 && n <= 1003) || (n >= 1007 && n <= 1014) || (n >= 3000 && n <= 4999));
    }
  }
}

TEST(CloseCauseTest, WhateverEndsAClientTheUpstreamSeesAGoingAway) {
  for (const CloseCause cause :
       {CloseCause::kClientLost, CloseCause::kClientReset, CloseCause::kClientTimeout,
        CloseCause::kClientProtocol, CloseCause::kClientUnacceptable, CloseCause::kClientInvalid,
        CloseCause::kClientTooBig, CloseCause::kClientSlow, CloseCause::kSuperseded,
        CloseCause::kTurnOverdue, CloseCause::kShutdown}) {
    EXPECT_EQ(Describe(cause).to_upstream, CloseCode::kGoingAway) << Describe(cause).word;
  }
  EXPECT_EQ(Describe(CloseCause::kClientClosed).to_upstream, CloseCode::kNone);
}

TEST(CloseCauseTest, AClientLearnsWhatItDidWrong) {
  const auto to_client = [](CloseCause cause) { return Describe(cause).to_client; };
  EXPECT_EQ(to_client(CloseCause::kSuperseded), CloseCode{4409});
  EXPECT_EQ(to_client(CloseCause::kClientProtocol), CloseCode{1002});
  EXPECT_EQ(to_client(CloseCause::kClientUnacceptable), CloseCode{1003});
  EXPECT_EQ(to_client(CloseCause::kClientInvalid), CloseCode{1007});
  EXPECT_EQ(to_client(CloseCause::kClientTooBig), CloseCode{1009});
  EXPECT_EQ(to_client(CloseCause::kUpstreamLost), CloseCode{1011});
  EXPECT_EQ(to_client(CloseCause::kShutdown), CloseCode{1012});
}

TEST(CloseCauseTest, ABrokenUpstreamLearnsWhatItDidWrong) {
  EXPECT_EQ(Describe(CloseCause::kUpstreamProtocol).to_upstream, CloseCode{1002});
  EXPECT_EQ(Describe(CloseCause::kUpstreamTooBig).to_upstream, CloseCode{1009});
}

TEST(CloseCauseTest, NoCloseIsSentToAPeerThatCannotGetIt) {
  EXPECT_EQ(Describe(CloseCause::kClientSlow).to_client, CloseCode::kAbnormal);
  EXPECT_EQ(Describe(CloseCause::kClientTimeout).to_client, CloseCode::kAbnormal);
  EXPECT_EQ(Describe(CloseCause::kUpstreamReset).to_upstream, CloseCode::kAbnormal);
}

}  // namespace
}  // namespace connguard
