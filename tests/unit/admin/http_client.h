// A client for the admin endpoints that shows every byte: POSIX sockets, no library.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connguard {

struct HttpReply {
  int status = 0;
  std::string head;  // status line and fields, as they came
  std::string body;

  // The value of a field, its name in lower case; empty: there is none.
  std::string Value(std::string_view name) const;
};

class HttpClient {
 public:
  static HttpClient Tcp(std::uint16_t port, bool v6 = false);
  static HttpClient Unix(const std::string& path);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&&) = delete;

  bool connected() const { return descriptor_ >= 0; }
  void Send(std::string_view bytes) const;
  void HalfClose() const;
  // Bytes the kernel keeps for this client: small ones make a slow reader.
  void SetReceiveBuffer(int bytes) const;

  // One answer; nullopt when the connection ended first, or nothing came for 20 s. `head_only`: the
  // answer to HEAD.
  std::optional<HttpReply> Receive(bool head_only = false);
  std::optional<HttpReply> Ask(std::string_view method, std::string_view target,
                               std::string_view fields = "");

  // The bytes up to the end of `mark`, for answers without an end; empty when it does not come.
  std::string ReadUntil(std::string_view mark);

  // True when the server ends the connection within `time`; what comes before is thrown away.
  bool EndsWithin(std::chrono::milliseconds time);

 private:
  explicit HttpClient(int descriptor) : descriptor_(descriptor) {}
  bool Fill(std::chrono::milliseconds time);

  int descriptor_;
  std::string unread_;
};

}  // namespace connguard
