// The WebSocket opening handshake (RFC 6455 §4), as a proxy must check it on both sides.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "http/message.h"
#include "http/text.h"

namespace connguard {
namespace {

// 16 bytes in base64: 22 letters and two signs of padding.
bool IsKey(std::string_view key) {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  key.remove_suffix(2);
  return std::all_of(key.begin(), key.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '+' || c == '/'; });
}

bool AnnouncesBody(const std::vector<Field>& fields) {
  const std::string_view length = Find(fields, "Content-Length").value_or("0");
  return Find(fields, "Transfer-Encoding") ||
         length.find_first_not_of('0') != std::string_view::npos;
}

bool NamesJustWebSocket(const std::vector<Field>& fields) {
  return EqualsIgnoringCase(Only(fields, "Upgrade").value_or(""), "websocket");
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string AcceptOf(std::string_view key) {
  static constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::string text;
  text.reserve(key.size() + kGuid.size());
  text.append(key).append(kGuid);
  // EVP_sha1() would be looked up among the providers at each use: half of the cost.
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  // EVP_Digest() would make a context for each.
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_DigestInit_ex2(context.get(), sha1, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), text.data(), text.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1) {
    return {};
  }
  std::array<unsigned char, 4 * EVP_MAX_MD_SIZE / 3 + 4> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {encoded.begin(), encoded.begin() + length};
}

}  // namespace

bool IsWebSocketUpgrade(const RequestHead& head) {
  return HasToken(head.fields, "Connection", "upgrade") &&
         HasToken(head.fields, "Upgrade", "websocket");
}

std::optional<Refusal> CheckWebSocketUpgrade(const RequestHead& head) {
  if (head.method != "GET") return Refusal{400, "WebSocket upgrade by a method other than GET"};
  if (head.version < 11) return Refusal{400, "WebSocket upgrade in HTTP/1.0"};
  // A list would let the upstream choose a protocol that the guard does not speak.
  if (!NamesJustWebSocket(head.fields)) {
    return Refusal{400, "Upgrade names more than websocket"};
  }
  if (AnnouncesBody(head.fields)) return Refusal{400, "WebSocket upgrade with a body"};
  if (Only(head.fields, "Sec-WebSocket-Version") != "13") {
    return Refusal{426, "Sec-WebSocket-Version must be 13"};
  }
  if (!IsKey(Only(head.fields, "Sec-WebSocket-Key").value_or(""))) {
    return Refusal{400, "Sec-WebSocket-Key must be 16 bytes in base64"};
  }
  return std::nullopt;
}

bool IsWebSocketAccept(const ResponseHead& head, std::string_view key) {
  const std::string accept = AcceptOf(key);
  return head.status == 101 && head.version == 11 && !accept.empty() &&
         !AnnouncesBody(head.fields) &&  // frames follow, not what another reader took for a body
         HasToken(head.fields, "Connection", "upgrade") && NamesJustWebSocket(head.fields) &&
         Only(head.fields, "Sec-WebSocket-Accept") == accept;
}

}  // namespace connguard
