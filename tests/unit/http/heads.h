// Reads whole heads and messages in one call, for the tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace connguard::testing {

inline constexpr Bytes kHeaderSize = 1024;

template <typename Head>
Head ReadHead(std::string_view text) {
  // What a head says lives with its reader: with the program, here.
  static std::list<MessageReader<Head>> readers;
  MessageReader<Head>& reader = readers.emplace_back(kHeaderSize);
  const auto result = reader.Feed(AsBytes(text));
  EXPECT_EQ(result.status, MessageReader<Head>::Status::kHead) << result.why << '\n' << text;
  return reader.head();
}

inline RequestHead Request(std::string_view text) { return ReadHead<RequestHead>(text); }
inline ResponseHead Response(std::string_view text) { return ReadHead<ResponseHead>(text); }

// What became of a stream that was offered in reads of up to `step` bytes.
struct Outcome {
  bool head = false;
  bool done = false;
  int error = 0;
  std::string why;
  std::string taken;  // what the message took of the stream
  std::string body;   // what of it may be passed on, chunk headers included

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

template <typename Head>
Outcome ReadAll(MessageReader<Head>& reader, std::string_view text, std::size_t step) {
  using Status = typename MessageReader<Head>::Status;
  Outcome outcome;
  while (!outcome.done && outcome.error == 0) {
    const auto result = reader.Feed(AsBytes(text.substr(0, step)));
    EXPECT_LE(result.taken, std::min(step, text.size()));
    EXPECT_LE(result.pass, result.taken);
    outcome.taken += text.substr(0, result.taken);
    outcome.body.append(result.held).append(text.substr(0, result.pass));
    text.remove_prefix(result.taken);
    outcome.head = outcome.head || result.status == Status::kHead;
    outcome.done = result.status == Status::kDone;
    outcome.error = result.http_status;
    outcome.why = result.why;
    if (text.empty() && result.status != Status::kHead) break;
  }
  return outcome;
}

}  // namespace connguard::testing
