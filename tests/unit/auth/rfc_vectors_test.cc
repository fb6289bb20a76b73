// The examples of RFC 7515 (appendix A), 7520 (section 4) and 8037 (appendix A), as they stand
// there.
#include <gtest/gtest.h>

#include "auth/base64url.h"
#include "auth/key_file.h"
#include "signer.h"

namespace connguard {
namespace {

using test::KeysFile;
using test::kNow;
using test::LoadSound;

const std::chrono::system_clock::time_point kJoesTime{std::chrono::seconds(1'300'819'000)};

const std::string kJoe =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";

const std::string kHs256 = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + kJoe +
                           ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const std::string kHs256Secret =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

const std::string kRs256 =
    "eyJhbGciOiJSUzI1NiJ9." + kJoe +
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L"
    "07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUi"
    "pUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const std::string kRs256Keys =
    R"({"keys":[{"kty":"RSA","e":"AQAB","n":")"
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
    "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
    "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
    R"(WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]})";

const std::string kEs256 =
    "eyJhbGciOiJFUzI1NiJ9." + kJoe +
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const std::string kEs256Keys =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";

TEST(RfcVectorsTest, Rfc7515A1Hs256) {
  JwtConfig config{.algorithms = {JwtAlgorithm::kHs256}};
  config.secret = DecodeBase64Url(kHs256Secret).value();
  const auto verifier = LoadSound(config);
  const JwtVerdict verdict = verifier->Verify(kHs256, kJoesTime);
  ASSERT_TRUE(verdict.claims) << verdict.why;
  EXPECT_EQ(verdict.claims->Text("iss"), "joe");
  EXPECT_EQ(verifier->Verify(kHs256, kNow).why, "the token has expired");
}

TEST(RfcVectorsTest, Rfc7515A2Rs256) {
  const KeysFile keys(kRs256Keys);
  const auto verifier = LoadSound({.algorithms = {JwtAlgorithm::kRs256}, .keys_file = keys.path()});
  const JwtVerdict verdict = verifier->Verify(kRs256, kJoesTime);
  ASSERT_TRUE(verdict.claims) << verdict.why;
  EXPECT_EQ(verdict.claims->Text("exp"), "1300819380");
}

TEST(RfcVectorsTest, Rfc7515A3Es256) {
  const KeysFile keys(kEs256Keys);
  const auto verifier = LoadSound({.algorithms = {JwtAlgorithm::kEs256}, .keys_file = keys.path()});
  EXPECT_TRUE(verifier->Verify(kEs256, kJoesTime).claims);
}

// The payload of the others is text and no JSON: so only their signatures are believed.
void ExpectSigned(JwtAlgorithm algorithm, const std::string& keys, const std::string& token) {
  const VerifyKeys read = ReadJwks(keys);
  ASSERT_EQ(read.value.size(), 1U) << read.error;
  const std::size_t dot = token.rfind('.');
  std::string signature = DecodeBase64Url(std::string_view(token).substr(dot + 1)).value();
  const std::string_view text = std::string_view(token).substr(0, dot);
  EXPECT_TRUE(read.value[0].Verifies(algorithm, text, signature));
  EXPECT_FALSE(read.value[0].Verifies(algorithm, text.substr(1), signature));
  signature[signature.size() / 2] = static_cast<char>(signature[signature.size() / 2] ^ 1);
  EXPECT_FALSE(read.value[0].Verifies(algorithm, text, signature));

  const KeysFile file(keys);
  const auto verifier = LoadSound({.algorithms = {algorithm}, .keys_file = file.path()});
  EXPECT_EQ(verifier->Verify(token, kNow).why, "the token's payload is no sound JSON object");
}

TEST(RfcVectorsTest, Rfc7515A4Es512) {
  ExpectSigned(
      JwtAlgorithm::kEs512,
      R"({"keys":[{"kty":"EC","crv":"P-521",)"
      R"("x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",)"
      R"("y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}]})",
      "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA."
      "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8G"
      "aSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn");
}

TEST(RfcVectorsTest, Rfc8037A4EdDsa) {
  ExpectSigned(
      JwtAlgorithm::kEdDsa,
      R"({"keys":[{"kty":"OKP","crv":"Ed25519",)"
      R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})",
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

TEST(RfcVectorsTest, Rfc7520Section42Ps384) {
  ExpectSigned(
      JwtAlgorithm::kPs384,
      R"({"keys":[{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","e":"AQAB","n":")"
      "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmS"
      "CpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-"
      "OfV"
      "fHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwu"
      R"(CLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"}]})",
      "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
      "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250"
      "byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl"
      "cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4."
      "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TT"
      "B5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-"
      "UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYR"
      "Xe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa"
      "64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw");
}

}  // namespace
}  // namespace connguard
