// Sec-WebSocket-Extensions (RFC 6455 §9.1), as far as permessage-deflate (RFC 7692) goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace connguard {

// What both sides agreed on (RFC 7692 §7.1).
struct DeflateParameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  int server_max_window_bits = 15;  // 8 to 15
  int client_max_window_bits = 15;

  friend bool operator==(const DeflateParameters&, const DeflateParameters&) = default;
};

// True when permessage-deflate is among the extensions that `fields` offer or accept.
bool NamesDeflate(const std::vector<Field>& fields);

// The elements of an offer, a field's value, that are permessage-deflate, each as it stands there;
// empty when there is none.
std::string DeflateOffers(std::string_view value);

// What a 101 says that frames are like, for whoever must read them.
struct Extensions {
  std::optional<DeflateParameters> deflate;  // none: as RFC 6455 has them
  std::string_view error;                    // not empty: illegal, or beyond us; a short sentence
};
// Strict: permessage-deflate and nothing else, and that only if it was offered.
Extensions ReadExtensions(const ResponseHead& head, bool deflate_offered);

}  // namespace connguard
