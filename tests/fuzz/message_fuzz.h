// What holds for any message, request or response: used by both fuzz targets.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "http/message.h"
#include "require.h"

namespace connguard::fuzz {

struct Told {
  bool head = false;
  bool done = false;
  bool failed = false;
  std::string text;  // the head, written again
  Bytes taken = 0;   // unless it failed
  std::string body;  // passed on, chunk headers included; of a whole message
  std::string data;  // without them

  friend bool operator==(const Told&, const Told&) = default;
};

template <typename Head>
Told Read(std::span<const std::uint8_t> stream, std::size_t step) {
  using Status = typename MessageReader<Head>::Status;
  constexpr Bytes kHeaderSize = 512;
  MessageReader<Head> reader(kHeaderSize);
  Told told;
  std::string taken;  // behind the head
  reader.SetDataSink([&told](std::string_view data) { told.data += data; });
  while (true) {
    const std::span<const std::uint8_t> in = stream.first(std::min(step, stream.size()));
    const auto result = reader.Feed(in);
    CONNGUARD_REQUIRE(result.taken <= in.size());
    CONNGUARD_REQUIRE(result.pass <= result.taken);
    if (told.head && result.status != Status::kError) {
      taken.append(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(result.taken));
      told.body += result.held;
      told.body.append(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(result.pass));
      // Nothing is passed twice, out of order, or before it came.
      CONNGUARD_REQUIRE(taken.starts_with(told.body));
    }
    stream = stream.subspan(result.taken);
    told.taken += result.taken;
    if (result.status == Status::kHead) {
      told.head = true;
      told.text = Serialize(reader.head());
      CONNGUARD_REQUIRE(told.text.size() <= 2 * kHeaderSize + 64);
      continue;
    }
    told.done = result.status == Status::kDone;
    told.failed = result.status == Status::kError;
    if (told.failed) {
      CONNGUARD_REQUIRE(result.http_status >= 400 && result.http_status <= 505);
      CONNGUARD_REQUIRE(!result.why.empty());
      told.taken = 0;
    } else if (!told.done) {
      CONNGUARD_REQUIRE(result.taken == in.size());
    }
    if (told.done) CONNGUARD_REQUIRE(told.body == taken);
    if (told.done || told.failed || stream.empty()) break;
  }
  if (!told.done) {
    told.body.clear();
    told.data.clear();
  }
  reader.End();
  return told;
}

// Any split gives the same result, and a head that was accepted is read back as it was written.
template <typename Head>
Told CheckMessage(std::span<const std::uint8_t> stream, std::size_t longest) {
  const Told whole = Read<Head>(stream, std::max<std::size_t>(stream.size(), 1));
  CONNGUARD_REQUIRE(Read<Head>(stream, 1) == whole);
  CONNGUARD_REQUIRE(Read<Head>(stream, longest) == whole);
  return whole;
}

// With the head of `text`, which must be sound.
template <typename Head>
MessageReader<Head> ReadBack(const std::string& text) {
  MessageReader<Head> reader(64 * 1024);
  const auto result =
      reader.Feed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  CONNGUARD_REQUIRE(result.status == MessageReader<Head>::Status::kHead);
  CONNGUARD_REQUIRE(result.taken == text.size());
  CONNGUARD_REQUIRE(Serialize(reader.head()) == text);
  return reader;
}

}  // namespace connguard::fuzz
