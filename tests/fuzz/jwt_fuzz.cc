// Fuzzes JwtVerifier: the input as a token; and its two lines as header and payload, signed as
// ours, against what a second reading of the JSON says.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "auth/jwt.h"
#include "require.h"

namespace {

using nlohmann::json;

const std::string kSecret = "0123456789abcdefghijklmnopqrstuv";
const std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'800'000'000)};

const unsigned char* Octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), Octets(bytes),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  text.resize(std::min(text.find('='), text.size()));
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string Sign(std::string_view header, std::string_view payload) {
  const std::string text = Encode(header) + "." + Encode(payload);
  std::array<char, 32> mac{};
  std::size_t size = 0;
  EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, kSecret.data(), kSecret.size(),
            Octets(text), text.size(), reinterpret_cast<unsigned char*>(mac.data()), mac.size(),
            &size);
  return text + "." + Encode({mac.data(), size});
}

bool IsOurs(const json& claims) {
  const auto audience = claims.find("aud");
  const bool is_for_us =
      audience != claims.end() &&
      (*audience == "us" || (audience->is_array() && std::find(audience->begin(), audience->end(),
                                                               "us") != audience->end()));
  const auto expiry = claims.find("exp");
  const bool is_valid =
      expiry == claims.end() || (expiry->is_number() && expiry->get<double>() > 1'799'999'970.0);
  return is_for_us && is_valid && claims.value("iss", json()) == "we";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto verifier =
      connguard::JwtVerifier::Load({.algorithms = {connguard::JwtAlgorithm::kHs256},
                                    .secret = kSecret,
                                    .issuer = "we",
                                    .audiences = {"us"}})
          .value;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CONNGUARD_REQUIRE(!verifier->Verify(text, kNow).claims);

  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view header = text.substr(0, line);
  const std::string_view payload = text.substr(std::min(line + 1, text.size()));
  const connguard::JwtVerdict verdict = verifier->Verify(Sign(header, payload), kNow);
  CONNGUARD_REQUIRE(verdict.claims.has_value() == verdict.why.empty());
  if (!verdict.claims) return 0;
  const json head = json::parse(header);
  CONNGUARD_REQUIRE(head.at("alg") == "HS256" && !head.contains("crit"));
  const json claims = json::parse(payload);
  CONNGUARD_REQUIRE(IsOurs(claims));
  for (const auto& [name, value] : claims.items()) {
    const auto claim = verdict.claims->Text(name);
    if (value.is_string()) CONNGUARD_REQUIRE(claim == value.get<std::string>());
    if (value.is_number_integer()) CONNGUARD_REQUIRE(claim == value.dump());
    if (value.is_structured() || value.is_boolean() || value.is_null()) CONNGUARD_REQUIRE(!claim);
  }
  return 0;
}
