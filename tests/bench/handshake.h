// The opening handshake of WebSockets (RFC 6455 §4), with the one key that all clients here send.
#pragma once

#include <string_view>

namespace connguard::bench {

inline constexpr std::string_view kHeadEnd = "\r\n\r\n";
inline constexpr std::string_view kKeyField = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr std::string_view kAcceptField =
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// Whether a head has this field, in whatever case its name is written.
bool HasField(std::string_view head, std::string_view field);

}  // namespace connguard::bench
