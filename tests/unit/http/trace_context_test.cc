// Trace Context: which traceparent names a trace, and what a new one looks like.
#include "http/trace_context.h"

#include <gtest/gtest.h>

#include "http/forwarding.h"

namespace connguard {
namespace {

constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view kParent = "00f067aa0ba902b7";

std::string Value(std::string_view version = "00", std::string_view trace = kTrace,
                  std::string_view parent = kParent, std::string_view flags = "01") {
  return std::string(version) + "-" + std::string(trace) + "-" + std::string(parent) + "-" +
         std::string(flags);
}

std::string IdOf(const std::vector<Field>& fields) {
  return std::string(TraceContext::Of(fields).id());
}
std::string IdOf(const std::string& value) { return IdOf({Field{"traceparent", value}}); }

TEST(TraceContextTest, TheTraceThatARequestCameWithIsRead) {
  EXPECT_EQ(IdOf(Value()), kTrace);
  EXPECT_EQ(IdOf(Value("00", kTrace, kParent, "00")), kTrace);
  EXPECT_EQ(IdOf(Value("00", kTrace, kParent, "ff")), kTrace);
  EXPECT_EQ(IdOf({{"Host", "a"}, {"TraceParent", Value()}, {"tracestate", "!"}}), kTrace);
  EXPECT_EQ(TraceContext::Of({{"traceparent", Value()}}).created(), "");
}

TEST(TraceContextTest, LaterVersionsMaySayMore) {
  EXPECT_EQ(IdOf(Value("cc")), kTrace);
  EXPECT_EQ(IdOf(Value("cc") + "-what-the-future-brings"), kTrace);
  EXPECT_EQ(IdOf(Value("cc") + "-"), kTrace);
  EXPECT_EQ(IdOf(Value("cc") + ".what"), "");
  EXPECT_EQ(IdOf(Value("00") + "-what"), "");
}

TEST(TraceContextTest, WhatIsInvalidNamesNoTrace) {
  const std::string upper = "4BF92F3577B34DA6A3CE929D0E0E4736";
  for (const std::string& value : {
           std::string(),
           std::string("00"),
           Value("ff"),
           Value("0"),
           Value("0G"),
           Value("00", upper),
           Value("00", std::string(32, '0')),
           Value("00", kTrace.substr(1)),
           Value("00", "4bf92f3577b34da6a3ce929d0e0e473g"),
           Value("00", kTrace, std::string(16, '0')),
           Value("00", kTrace, "00F067AA0BA902B7"),
           Value("00", kTrace, kParent, "0"),
           Value("00", kTrace, kParent, "0x"),
           Value("00", kTrace, kParent, "A0"),
           Value().replace(2, 1, "_"),
           Value().replace(35, 1, "_"),
           Value().replace(52, 1, "_"),
           Value() + "0",
           Value() + ", " + Value(),
       }) {
    EXPECT_EQ(IdOf(value), "") << value;
  }
  EXPECT_EQ(IdOf(std::vector<Field>{}), "");
}

TEST(TraceContextTest, TwoTraceparentsNameNone) {
  EXPECT_EQ(IdOf({{"traceparent", Value()}, {"Traceparent", Value()}}), "");
}

TEST(TraceContextTest, ANewTraceIsSampledAndValid) {
  const TraceContext trace = TraceContext::New({0x0123456789abcdefU, 0x1fU, 0xaU});
  EXPECT_EQ(trace.created(), "00-0123456789abcdef000000000000001f-000000000000000a-01");
  EXPECT_EQ(trace.id(), "0123456789abcdef000000000000001f");
  EXPECT_EQ(IdOf(std::string(trace.created())), trace.id());
}

TEST(TraceContextTest, ANewTraceIsValidWhateverIsDrawn) {
  EXPECT_NE(IdOf(std::string(TraceContext::New({}).created())), "");
}

TEST(TraceContextTest, NoTraceHasNoId) {
  EXPECT_FALSE(TraceContext());
  EXPECT_EQ(TraceContext().id(), "");
  EXPECT_EQ(TraceContext().created(), "");
}

RequestHead Head(std::vector<Field> fields) {
  fields.insert(fields.begin(), {"Host", "a"});
  return {.method = "GET", .target = "/", .version = 11, .fields = std::move(fields)};
}

TEST(TraceForwardingTest, WhatCameGoesOnAsItCame) {
  EXPECT_EQ(ForwardRequest(Head({{"TraceParent", "odd"},
                                 {"Connection", "traceparent, tracestate"},
                                 {"tracestate", "a=1"},
                                 {"Tracestate", ""}}),
                           {}),
            "GET / HTTP/1.1\r\nHost: a\r\nTraceParent: odd\r\ntracestate: a=1\r\nTracestate: \r\n"
            "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST(TraceForwardingTest, ANewTraceTakesThePlaceOfWhatCame) {
  RequestHop hop;
  const std::string value = Value();
  hop.traceparent = value;
  EXPECT_EQ(
      ForwardRequest(
          Head({{"TraceParent", "odd"}, {"traceparent", "odder"}, {"Tracestate", "a=1"}}), hop),
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"
      "traceparent: " +
          value + "\r\n\r\n");
}

TEST(TraceIdTest, OfATraceIsItsId) {
  const TraceContext fresh = TraceContext::New({0x0123456789abcdefU, 0x1fU, 0xaU});
  EXPECT_EQ(fresh.trace_id().value(), fresh.id());
  const std::string came = Value();
  const TraceContext known = TraceContext::Of({{"traceparent", came}});
  EXPECT_NE(known.id(), "");
  EXPECT_EQ(known.trace_id().value(), known.id());
  EXPECT_EQ(TraceContext().trace_id().value(), "");
  EXPECT_NE(TraceContext::New({}).trace_id().value(), "");
}

TEST(TraceIdTest, KeepsWhatItWasGiven) {
  for (const std::string_view digits :
       {"0af7651916cd43dd8448eb211c80319c", "00000000000000000000000000000001",
        "f0000000000000000000000000000000", "ffffffffffffffffffffffffffffffff"}) {
    EXPECT_EQ(TraceId(digits).value(), digits);
  }
  EXPECT_EQ(TraceId(std::string_view()).value(), "");
  EXPECT_EQ(TraceId().value(), "");
}

}  // namespace
}  // namespace connguard
