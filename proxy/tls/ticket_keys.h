// TicketKeys: what session tickets are encrypted with (RFC 5077).
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

namespace connguard {

// A key encrypts for kUse from its making, and decrypts for kUse after that. AES-256-CBC and
// HMAC-SHA256. Never leaves the process. Thread-safe.
class TicketKeys {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  static constexpr std::chrono::hours kUse{1};

  explicit TicketKeys(Clock clock);
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // For SSL_CTX_set_tlsext_ticket_key_evp_cb; its return values.
  int Use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
          bool encrypts);

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
    std::chrono::steady_clock::time_point made{};

    Key() = default;
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ~Key();
  };

  // Of now; made when the last one is too old. Empty: no random numbers.
  std::optional<Key> Encrypting();
  std::optional<Key> Decrypting(std::span<const unsigned char> name);
  void Rotate(std::chrono::steady_clock::time_point now);

  const Clock clock_;
  EVP_CIPHER* const aes_;  // fetched once: a search by name for each ticket is slow
  std::mutex mutex_;
  std::optional<Key> current_;
  std::optional<Key> previous_;
};

// Lets `settings` use `keys`, which has to outlive it.
void UseTicketKeys(SSL_CTX* settings, TicketKeys* keys);

}  // namespace connguard
