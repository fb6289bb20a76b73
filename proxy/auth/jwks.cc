#include <openssl/core_names.h>

#include <nlohmann/json.hpp>

#include "auth/base64url.h"
#include "auth/key_file.h"
#include "auth/openssl.h"

namespace connguard {
namespace {

using Json = nlohmann::json;

// A string member; empty where there is none.
std::string TextOf(const Json& key, const char* name) {
  const auto at = key.find(name);
  return at != key.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// A member in base64url; empty where it is not sound.
std::string BytesOf(const Json& key, const char* name) {
  return DecodeBase64Url(TextOf(key, name)).value_or(std::string());
}

const unsigned char* Octets(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

OpensslKey Build(const char* type, const OpensslParameterBuild& build) {
  const OpensslParameters parameters(OSSL_PARAM_BLD_to_param(build.get()));
  const OpensslKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    key = nullptr;
  }
  return OpensslKey(key);
}

OpensslKey RsaKey(const Json& key) {
  const auto number = [&](const char* name) {
    const std::string bytes = BytesOf(key, name);
    return OpensslNumber(BN_bin2bn(Octets(bytes), static_cast<int>(bytes.size()), nullptr));
  };
  const OpensslNumber n = number("n");
  const OpensslNumber e = number("e");
  const OpensslParameterBuild build(OSSL_PARAM_BLD_new());
  if (!n || !e || !build || BN_is_zero(n.get()) || BN_is_zero(e.get()) ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return {};
  }
  return Build("RSA", build);
}

// `size`: of a coordinate in bytes; x and y are never shorter (RFC 7518 §6.2.1.2).
OpensslKey EcKey(const Json& key, const std::string& curve, std::size_t size) {
  const std::string x = BytesOf(key, "x");
  const std::string y = BytesOf(key, "y");
  const std::string point = '\x04' + x + y;
  const OpensslParameterBuild build(OSSL_PARAM_BLD_new());
  if (x.size() != size || y.size() != size || !build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return {};
  }
  return Build("EC", build);
}

OpensslKey EdwardsKey(const Json& key, const std::string& curve) {
  const std::string x = BytesOf(key, "x");
  return OpensslKey(
      EVP_PKEY_new_raw_public_key_ex(nullptr, curve.c_str(), nullptr, Octets(x), x.size()));
}

// Null: not sound. nullopt: of a type that signs no tokens here.
std::optional<OpensslKey> PublicKeyOf(const Json& key) {
  const std::string type = TextOf(key, "kty");
  const std::string curve = TextOf(key, "crv");
  if (type == "RSA") return RsaKey(key);
  if (type == "EC" && curve == "P-256") return EcKey(key, curve, 32);
  if (type == "EC" && curve == "P-384") return EcKey(key, curve, 48);
  if (type == "EC" && curve == "P-521") return EcKey(key, curve, 66);
  if (type == "OKP" && (curve == "Ed25519" || curve == "Ed448")) return EdwardsKey(key, curve);
  return std::nullopt;
}

bool IsForVerifying(const Json& key) {
  if (key.contains("use") && TextOf(key, "use") != "sig") return false;
  const auto operations = key.find("key_ops");
  if (operations != key.end() &&
      std::find(operations->begin(), operations->end(), "verify") == operations->end()) {
    return false;
  }
  return !key.contains("alg") || JwtAlgorithmOf(TextOf(key, "alg"));
}

// Why there is an error, or an empty text; adds the key unless it is for something else.
std::string AddKey(const Json& key, std::vector<VerifyKey>& keys) {
  if (!key.is_object()) return "is no JSON object";
  if (TextOf(key, "kty") == "oct" || key.contains("k")) {
    return "is a symmetric one: only public keys belong here";
  }
  if (key.contains("d") || key.contains("p") || key.contains("q")) {
    return "is a private one: only public keys belong here";
  }
  if (!IsForVerifying(key)) return {};
  auto public_key = PublicKeyOf(key);
  if (!public_key) return {};
  VerifyKeyResult result = VerifyKey::OfPublic(std::move(*public_key));
  if (!result.value) return result.error;
  std::optional<std::string> id;
  if (key.contains("kid")) {
    if (!key["kid"].is_string()) return "has a kid that is no string";
    id = TextOf(key, "kid");
  }
  result.value->Restrict(std::move(id), JwtAlgorithmOf(TextOf(key, "alg")));
  keys.push_back(std::move(*result.value));
  return {};
}

}  // namespace

VerifyKeys ReadJwks(std::string_view text) {
  const OpensslErrors errors;
  const Json set = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (set.is_discarded() || !set.is_object()) return {.error = "is no sound JSON"};
  const auto members = set.find("keys");
  if (members == set.end() || !members->is_array()) {
    return {.error = "is no JSON Web Key Set: it has no array `keys`"};
  }
  VerifyKeys keys;
  std::size_t number = 0;
  for (const Json& key : *members) {
    ++number;
    const std::string why = AddKey(key, keys.value);
    if (!why.empty()) return {.error = "key " + std::to_string(number) + " of the set " + why};
  }
  return keys;
}

}  // namespace connguard
