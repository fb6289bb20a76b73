// Fuzzes the readers of PEM and JSON Web Key Sets: what they take can verify and nothing else.
#include "auth/key_file.h"
#include "auth/openssl.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& keys : {connguard::ReadPemKeys(text), connguard::ReadJwks(text)}) {
    CONNGUARD_REQUIRE(keys.error.empty() || keys.value.empty());
    CONNGUARD_REQUIRE(keys.error.find('\n') == std::string::npos);
    for (const connguard::VerifyKey& key : keys.value) {
      CONNGUARD_REQUIRE(key.kind() != connguard::KeyKind::kSecret);
      CONNGUARD_REQUIRE(!key.Verifies(connguard::JwtAlgorithm::kEs256, "text", text));
      CONNGUARD_REQUIRE(!key.Verifies(connguard::JwtAlgorithm::kRs256, "text", text));
    }
  }
  CONNGUARD_REQUIRE(ERR_peek_error() == 0);
  return 0;
}
