// Fuzzes requests, head and body: reading, forwarding, targets. Input: byte 0 the longest read,
// then the stream.
#include "http/extensions.h"
#include "http/forwarding.h"
#include "message_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connguard;
  if (size < 1) return 0;
  const fuzz::Told told =
      fuzz::CheckMessage<RequestHead>({data + 1, size - 1}, std::size_t{1} + data[0]);
  if (!told.head) return 0;

  const auto reader = fuzz::ReadBack<RequestHead>(told.text);
  const RequestHead& head = reader.head();
  CONNGUARD_REQUIRE(!PathOf(head.target).empty());
  PercentDecode(PathOf(head.target));
  QueryValue(QueryOf(head.target), "a");
  CookieValue(head.fields, "a");
  if (IsWebSocketUpgrade(head)) CheckWebSocketUpgrade(head);

  RequestHop reading;
  reading.upgrade = true;
  reading.deflate_only = true;
  reading.host = "origin";
  const std::string offer = ForwardRequest(head, reading);
  CONNGUARD_REQUIRE(NamesDeflate(fuzz::ReadBack<RequestHead>(offer).head().fields) ==
                    NamesDeflate(head.fields));

  for (const bool upgrade : {false, true}) {
    for (const bool trusted : {false, true}) {
      RequestHop hop;
      hop.client_ip = "192.0.2.1";
      hop.tls = true;
      hop.upgrade = upgrade;
      hop.trusted = trusted;
      hop.close = true;
      hop.strip_extensions = true;
      hop.forwarded = trusted;
      hop.via = true;
      hop.host = "origin";
      const auto back_reader = fuzz::ReadBack<RequestHead>(ForwardRequest(head, hop));
      const RequestHead& back = back_reader.head();
      CONNGUARD_REQUIRE(Count(back.fields, "Host") == 1);
      CONNGUARD_REQUIRE(Count(back.fields, "X-Forwarded-For") == 1);
      CONNGUARD_REQUIRE(Find(back.fields, "X-Forwarded-For")->ends_with("192.0.2.1"));
      CONNGUARD_REQUIRE(trusted || Find(back.fields, "X-Forwarded-For") == "192.0.2.1");
      CONNGUARD_REQUIRE(Count(back.fields, "Sec-WebSocket-Extensions") == 0);
      CONNGUARD_REQUIRE(Find(back.fields, "Content-Length") == Find(head.fields, "Content-Length"));
      CONNGUARD_REQUIRE(back.target.starts_with('/') || back.target == "*");
      CONNGUARD_REQUIRE(PathOf(back.target) == PathOf(head.target) || back.target == "*");
      if (!upgrade) CONNGUARD_REQUIRE(HasToken(back.fields, "Connection", "close"));
    }
  }
  return 0;
}
