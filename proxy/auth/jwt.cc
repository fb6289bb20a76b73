#include "auth/jwt.h"

#include <algorithm>

#include "auth/base64url.h"
#include "auth/key_file.h"
#include "auth/members.h"
#include "connguard/types.h"

namespace connguard {
namespace {

using std::chrono::system_clock;
using Seconds = std::chrono::duration<double>;

constexpr Bytes kLargestToken = 8 * 1024;

// A token in its three parts (RFC 7515 §7.1).
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header and payload, with the dot
};

std::optional<Parts> Split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signed_text = token.substr(0, second)};
}

std::optional<JsonMembers> DecodeMembers(std::string_view part) {
  const auto json = DecodeBase64Url(part);
  return json ? ParseMembers(*json) : std::nullopt;
}

const JsonMember* Find(const JsonMembers& members, std::string_view name) {
  const auto found = members.find(name);
  return found == members.end() ? nullptr : &found->second;
}

bool IsText(const JsonMember& member) { return member.kind == JsonMember::Kind::kText; }

template <typename T>
bool Contains(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Why `config` is not sound as it stands, without a look at the file; empty: it is.
std::string WhyUnsound(const JwtConfig& config) {
  if (config.algorithms.empty()) return "algorithms: there are none";
  bool uses_secret = false;
  bool uses_file = false;
  for (const JwtAlgorithm algorithm : config.algorithms) {
    const std::string name(NameOf(algorithm));
    const bool is_secret = IsShared(algorithm);
    (is_secret ? uses_secret : uses_file) = true;
    if (is_secret && config.secret.empty()) return name + " needs a secret";
    if (!is_secret && config.keys_file.empty()) return name + " needs a keys_file";
    if (is_secret && config.secret.size() < ShortestSecret(algorithm)) {
      return "secret: " + name + " needs " + std::to_string(ShortestSecret(algorithm)) +
             " bytes or more (RFC 7518 section 3.2)";
    }
  }
  if (!config.secret.empty() && !uses_secret) return "secret: no algorithm uses it";
  if (!config.keys_file.empty() && !uses_file) {
    return config.keys_file + ": no algorithm uses a keys_file";
  }
  // Everybody has what a PEM of public keys says: whoever takes it for a secret is open to all.
  if (config.secret.find("-----BEGIN ") != std::string::npos) {
    return "secret: this is PEM, which belongs into a keys_file";
  }
  return {};
}

}  // namespace

struct JwtVerifier::Impl {
  JwtConfig config{};
  std::vector<VerifyKey> keys{};
  bool has_ids = false;  // one of the keys has

  std::string WhyHeaderRefused(const JsonMembers& header) const;
  bool IsSigned(const JsonMembers& header, const Parts& parts) const;
  std::string WhyClaimsRefused(const JsonMembers& claims, system_clock::time_point now) const;
  std::string WhyTimesRefused(const JsonMembers& claims, system_clock::time_point now) const;
  bool IsForUs(const JsonMember* audience) const;
};

std::string JwtVerifier::Impl::WhyHeaderRefused(const JsonMembers& header) const {
  const JsonMember* const name = Find(header, "alg");
  if (name == nullptr || !IsText(*name)) return "the token names no algorithm";
  const auto algorithm = JwtAlgorithmOf(name->text);
  if (!algorithm || !Contains(config.algorithms, *algorithm)) {
    return "the token's algorithm is not allowed";
  }
  // Extensions that must be understood (RFC 7515 §4.1.11): there are none that are.
  if (Find(header, "crit") != nullptr) return "the token demands extensions (crit)";
  const JsonMember* const id = Find(header, "kid");
  if (id != nullptr && !IsText(*id)) return "the token's kid is no string";
  return {};
}

bool JwtVerifier::Impl::IsSigned(const JsonMembers& header, const Parts& parts) const {
  const auto signature = DecodeBase64Url(parts.signature);
  if (!signature) return false;
  const JwtAlgorithm algorithm = JwtAlgorithmOf(Find(header, "alg")->text).value();
  const JsonMember* const id = Find(header, "kid");
  const bool by_id = id != nullptr && has_ids && KindOf(algorithm) != KeyKind::kSecret;
  return std::any_of(keys.begin(), keys.end(), [&](const VerifyKey& key) {
    return (!by_id || key.id() == id->text) &&
           key.Verifies(algorithm, parts.signed_text, *signature);
  });
}

// In seconds as a double: exact to less than a microsecond for centuries, and without overflow
// whatever a token says.
std::string JwtVerifier::Impl::WhyTimesRefused(const JsonMembers& claims,
                                               system_clock::time_point now) const {
  const double seconds = Seconds(now.time_since_epoch()).count();
  const double leeway = Seconds(config.leeway).count();
  const JsonMember* const expiry = Find(claims, "exp");
  if (expiry != nullptr) {
    if (!expiry->is_number()) return "the token's exp is no number";
    if (seconds >= expiry->number + leeway) return "the token has expired";
  }
  const JsonMember* const begin = Find(claims, "nbf");
  if (begin != nullptr) {
    if (!begin->is_number()) return "the token's nbf is no number";
    if (seconds < begin->number - leeway) return "the token is not valid yet";
  }
  return {};
}

bool JwtVerifier::Impl::IsForUs(const JsonMember* audience) const {
  if (config.audiences.empty()) return true;
  if (audience == nullptr) return false;
  if (IsText(*audience)) return Contains(config.audiences, audience->text);
  return audience->kind == JsonMember::Kind::kTexts &&
         std::any_of(audience->texts.begin(), audience->texts.end(),
                     [&](const std::string& text) { return Contains(config.audiences, text); });
}

std::string JwtVerifier::Impl::WhyClaimsRefused(const JsonMembers& claims,
                                                system_clock::time_point now) const {
  std::string why = WhyTimesRefused(claims, now);
  if (!why.empty()) return why;
  const JsonMember* const issuer = Find(claims, "iss");
  if (!config.issuer.empty() &&
      (issuer == nullptr || !IsText(*issuer) || issuer->text != config.issuer)) {
    return "the token is not of our issuer";
  }
  if (!IsForUs(Find(claims, "aud"))) return "the token is for another audience";
  return {};
}

JwtVerifier::JwtVerifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JwtVerifier::~JwtVerifier() = default;

JwtVerifier::Result JwtVerifier::Load(const JwtConfig& config) {
  const std::string unsound = WhyUnsound(config);
  if (!unsound.empty()) return {.error = unsound};
  auto impl = std::make_unique<Impl>(Impl{.config = config});
  if (!config.keys_file.empty()) {
    VerifyKeys keys = ReadKeyFile(config.keys_file);
    if (!keys.error.empty()) return {.error = keys.error};
    const auto fits = [&](const VerifyKey& key) {
      return std::any_of(config.algorithms.begin(), config.algorithms.end(),
                         [&](JwtAlgorithm algorithm) { return key.Fits(algorithm); });
    };
    if (std::none_of(keys.value.begin(), keys.value.end(), fits)) {
      return {.error = config.keys_file + ": holds no key for the algorithms"};
    }
    impl->keys = std::move(keys.value);
    impl->has_ids = std::any_of(impl->keys.begin(), impl->keys.end(),
                                [](const VerifyKey& key) { return key.id().has_value(); });
  }
  if (!config.secret.empty()) impl->keys.push_back(VerifyKey::OfSecret(config.secret));
  return {.value = std::shared_ptr<const JwtVerifier>(new JwtVerifier(std::move(impl)))};
}

JwtVerdict JwtVerifier::Verify(std::string_view token, system_clock::time_point now) const {
  if (token.size() > kLargestToken) return {.why = "the token is longer than 8 KiB"};
  const auto parts = Split(token);
  if (!parts) return {.why = "this is no signed token"};
  const auto header = DecodeMembers(parts->header);
  if (!header) return {.why = "the token's header is no sound JSON object"};
  std::string why = impl_->WhyHeaderRefused(*header);
  if (!why.empty()) return {.why = std::move(why)};
  if (!impl_->IsSigned(*header, *parts)) return {.why = "the token is not signed by our keys"};

  auto payload = DecodeBase64Url(parts->payload);
  const auto claims = payload ? ParseMembers(*payload) : std::nullopt;
  if (!claims) return {.why = "the token's payload is no sound JSON object"};
  why = impl_->WhyClaimsRefused(*claims, now);
  if (!why.empty()) return {.why = std::move(why)};
  return {.claims = JwtClaims(std::move(*payload))};
}

}  // namespace connguard
