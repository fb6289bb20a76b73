// What waits for a slow subscriber, and how events are written.
#include "admin/event_queue.h"

#include <gtest/gtest.h>

#include "admin/event_text.h"
#include "canned.h"
#include "log/log.h"

namespace connguard {
namespace {

std::string All(EventQueue& queue) { return queue.Take(std::string::npos); }

AdminEvent EventOf(AdminEvent::Kind kind, int session) {
  return {.kind = kind,
          .at = std::chrono::system_clock::time_point(std::chrono::seconds(5)),
          .session = CannedSession(session)};
}

TEST(EventQueueTest, GivesWhatItWasGivenInOrderAndInPieces) {
  EventQueue queue({});
  EXPECT_TRUE(queue.empty());
  queue.Add("one");
  queue.Add("two");
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(queue.Take(4), "onet");
  EXPECT_EQ(queue.Take(4), "wo");
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueueTest, WhatDoesNotFitIsToldAsAGapInItsPlace) {
  EventQueue queue({});
  const std::string event(EventQueue::kRoom / 4, 'x');
  for (int i = 0; i < 4; ++i) queue.Add(event);
  queue.Add("lost 1");
  queue.Add("lost 2");
  EXPECT_EQ(queue.Take(event.size()), event);
  queue.Add("there is room, but not half of it");
  EXPECT_EQ(queue.Take(event.size()), event);
  queue.Add("after");
  EXPECT_EQ(All(queue), event + event + "event: gap\ndata: {\"lost\":3}\n\nafter");
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueueTest, AGapIsToldWithoutWaitingForAnotherEvent) {
  EventQueue queue({});
  queue.Lose(7);
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(All(queue), "event: gap\ndata: {\"lost\":7}\n\n");
  EXPECT_EQ(All(queue), "");
}

TEST(EventQueueTest, ItNeverHoldsMoreThanItsRoomAndAGap) {
  EventQueue queue({});
  for (int i = 0; i < 1000; ++i) queue.Add(std::string(1000, 'x'));
  EXPECT_LE(All(queue).size(), EventQueue::kRoom + 64);
}

TEST(EventQueueTest, KeepAliveIsOnlyForSilence) {
  EventQueue queue({});
  queue.KeepAlive();
  queue.KeepAlive();
  EXPECT_EQ(All(queue), ":\n\n");
  queue.Add("event");
  queue.KeepAlive();
  EXPECT_EQ(All(queue), "event");
}

TEST(EventQueueTest, OneSessionsEventsOnlyWhereAskedFor) {
  const AdminEvent event = EventOf(AdminEvent::Kind::kOpened, 2);
  EXPECT_TRUE(EventQueue({}).Wants(event));
  EXPECT_TRUE(EventQueue({event.session.id}).Wants(event));
  EXPECT_FALSE(EventQueue({"0:1"}).Wants(event));
  EXPECT_FALSE(EventQueue({"0:1"}).Wants({.kind = AdminEvent::Kind::kDrain}));
}

TEST(EventTextTest, ASessionsEventIsTheSessionWithItsKeyHashed) {
  const std::string text = EventText(EventOf(AdminEvent::Kind::kShielded, 4), 17, false);
  ASSERT_TRUE(text.starts_with("id: 17\nevent: shielded\ndata: {")) << text;
  ASSERT_TRUE(text.ends_with("}\n\n"));
  const auto data = Parse(text.substr(text.find("{")));
  EXPECT_EQ(data["event"], "shielded");
  EXPECT_EQ(data["at"], "1970-01-01T00:00:05.000Z");
  EXPECT_EQ(data["started_at"], "1970-01-01T00:00:00.000Z") << "five seconds old then";
  EXPECT_EQ(data["key"], KeyHash("user-4"));
  EXPECT_NE(EventText(EventOf(AdminEvent::Kind::kState, 4), 1, true).find("\"user-4\""),
            std::string::npos);
}

TEST(EventTextTest, EveryKindHasItsWord) {
  using Kind = AdminEvent::Kind;
  for (const auto& [kind, word] :
       std::vector<std::pair<Kind, std::string>>{{Kind::kOpened, "opened"},
                                                 {Kind::kState, "state"},
                                                 {Kind::kDropped, "dropped"},
                                                 {Kind::kShielded, "shielded"},
                                                 {Kind::kClosed, "closed"},
                                                 {Kind::kRefused, "refused"},
                                                 {Kind::kReload, "reload"},
                                                 {Kind::kDrain, "drain"}}) {
    EXPECT_TRUE(EventText(EventOf(kind, 1), 1, false).starts_with("id: 1\nevent: " + word + "\n"));
  }
}

TEST(EventTextTest, ARefusalSaysWhyAndAReloadWhatCameOfIt) {
  AdminEvent refusal = EventOf(AdminEvent::Kind::kRefused, 1);
  refusal.status = 409;
  refusal.why = "conflict";
  const std::string text = EventText(refusal, 1, false);
  EXPECT_EQ(text,
            "id: 1\nevent: refused\ndata: {\"event\":\"refused\",\"at\":\"1970-01-01T00:00:05."
            "000Z\",\"route\":\"chat\",\"client\":\"192.0.2.1:5001\",\"key\":\"" +
                KeyHash("user-1") + "\",\"status\":409,\"why\":\"conflict\"}\n\n");
  AdminEvent reload = EventOf(AdminEvent::Kind::kReload, 1);
  reload.why = "line\nbreak";
  EXPECT_EQ(EventText(reload, 2, false),
            "id: 2\nevent: reload\ndata: {\"event\":\"reload\",\"at\":\"1970-01-01T00:00:05.000Z\","
            "\"why\":\"line\\nbreak\"}\n\n");
}

}  // namespace
}  // namespace connguard
