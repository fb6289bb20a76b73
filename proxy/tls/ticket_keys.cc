#include "tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "tls/tls_context.h"

namespace connguard {
namespace {

// What OpenSSL wants to hear.
constexpr int kBroken = -1;
constexpr int kUnknownKey = 0;
constexpr int kGood = 1;
constexpr int kGoodButRenew = 2;

bool StartMac(EVP_MAC_CTX* mac, std::span<unsigned char> key) {
  std::array<char, 7> digest{"SHA256"};
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

int OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
             EVP_MAC_CTX* mac, int encrypts) noexcept {
  auto* keys = static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const int result = keys->Use(name, iv, cipher, mac, encrypts != 0);
  // A ticket of TLS 1.3 is for one use (RFC 8446 §C.4): the client gets another one.
  return result == kGood && encrypts == 0 && SSL_version(ssl) == TLS1_3_VERSION ? kGoodButRenew
                                                                                : result;
}

}  // namespace

TicketKeys::Key::~Key() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

TicketKeys::TicketKeys(Clock clock)
    : clock_(std::move(clock)), aes_(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)) {}

TicketKeys::~TicketKeys() { EVP_CIPHER_free(aes_); }

int TicketKeys::Use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                    EVP_MAC_CTX* mac, bool encrypts) {
  if (encrypts) {
    std::optional<Key> key = Encrypting();
    if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes_)) != 1 ||
        EVP_EncryptInit_ex2(cipher, aes_, key->cipher.data(), iv, nullptr) != 1 ||
        !StartMac(mac, key->mac)) {
      return kBroken;
    }
    std::ranges::copy(key->name, name);
    return kGood;
  }
  std::optional<Key> key = Decrypting({name, std::tuple_size_v<decltype(Key::name)>});
  if (!key) {
    return kUnknownKey;
  }
  if (EVP_DecryptInit_ex2(cipher, aes_, key->cipher.data(), iv, nullptr) != 1 ||
      !StartMac(mac, key->mac)) {
    return kBroken;
  }
  return clock_() - key->made < kUse ? kGood : kGoodButRenew;
}

std::optional<TicketKeys::Key> TicketKeys::Encrypting() {
  const auto now = clock_();
  const std::lock_guard lock(mutex_);
  Rotate(now);
  if (!current_) {
    Key key;
    key.made = now;
    if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
        RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
        RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1) {
      current_ = key;
    }
  }
  return current_;
}

std::optional<TicketKeys::Key> TicketKeys::Decrypting(std::span<const unsigned char> name) {
  const auto now = clock_();
  const std::lock_guard lock(mutex_);
  Rotate(now);
  for (const std::optional<Key>& key : {std::cref(current_), std::cref(previous_)}) {
    if (key && std::ranges::equal(key->name, name)) {
      return key;
    }
  }
  return std::nullopt;
}

// Also on reading, so that a key is forgotten when its time is over, not with the next ticket.
void TicketKeys::Rotate(std::chrono::steady_clock::time_point now) {
  if (current_ && now - current_->made >= kUse) {
    previous_ = std::exchange(current_, std::nullopt);
  }
  if (previous_ && now - previous_->made >= 2 * kUse) {
    previous_.reset();
  }
}

std::shared_ptr<TicketKeys> NewTicketKeys() {
  return std::make_shared<TicketKeys>(std::chrono::steady_clock::now);
}

void UseTicketKeys(SSL_CTX* settings, TicketKeys* keys) {
  SSL_CTX_set_app_data(settings, keys);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(settings, OnTicket);
}

}  // namespace connguard
