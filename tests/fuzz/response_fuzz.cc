// Fuzzes responses, head and body: reading and forwarding. Input: byte 0 the longest read, then the
// stream.
#include "http/extensions.h"
#include "http/forwarding.h"
#include "message_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connguard;
  if (size < 1) return 0;
  const fuzz::Told told =
      fuzz::CheckMessage<ResponseHead>({data + 1, size - 1}, std::size_t{1} + data[0]);
  if (!told.head) return 0;

  const auto reader = fuzz::ReadBack<ResponseHead>(told.text);
  const ResponseHead& head = reader.head();
  IsWebSocketAccept(head, "dGhlIHNhbXBsZSBub25jZQ==");
  const Extensions extensions = ReadExtensions(head, true);
  if (extensions.deflate) CONNGUARD_REQUIRE(NamesDeflate(head.fields) && extensions.error.empty());
  CONNGUARD_REQUIRE(ForwardResponse(head, {.upgrade = true}) == told.text);
  for (const int version : {10, 11}) {
    const auto back_reader = fuzz::ReadBack<ResponseHead>(
        ForwardResponse(head, {.close = true, .client_version = version, .via = true}));
    const ResponseHead& back = back_reader.head();
    CONNGUARD_REQUIRE(back.status == head.status && back.reason == head.reason);
    CONNGUARD_REQUIRE(Count(back.fields, "Connection") == (head.status < 200 ? 0U : 1U));
    CONNGUARD_REQUIRE(Count(back.fields, "Set-Cookie") <= Count(head.fields, "Set-Cookie"));
    CONNGUARD_REQUIRE(version == 11 || Count(back.fields, "Transfer-Encoding") == 0);
  }
  return 0;
}
