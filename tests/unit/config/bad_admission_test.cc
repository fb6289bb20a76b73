// What the loader says to mistakes about origins, authentication and credentials in URLs: exact
// words at exact places.
#include <gtest/gtest.h>

#include "cases.h"

namespace connguard {
namespace {

// In a folder with keys.pem, a `secret` that is long enough, and `short`, one that is not.
class BadAdmissionTest : public testing::TestWithParam<BadCase> {
 protected:
  BadAdmissionTest() {
    folder_.Write("keys.pem", SomePublicKeys());
    folder_.Write("secret", std::string(32, 's') + "\n");
    folder_.Write("short", std::string(31, 's') + "\r\n");
  }

  const Folder folder_;
};

TEST_P(BadAdmissionTest, IsReportedWhereItStands) {
  const LoadResult result = LoadIn(folder_, GetParam());
  EXPECT_EQ(ComplaintsIn(folder_, result), GetParam().expected) << TextOf(GetParam());
  EXPECT_FALSE(result.config);
}

std::string NameOf(const testing::TestParamInfo<BadCase>& info) { return info.param.name; }

BadCase Route(const std::string& name, const std::string& line, const std::string& expected) {
  return {name, {{12, "    " + line}}, expected};
}

// `found` and what is wrong with it.
std::string NoOrigin(const std::string& place, const std::string& found) {
  return place +
         ": routes.origins: expected an origin such as https://app.example, "
         "https://*.example.com:8443 or null, found '" +
         found + "'";
}

const BadCase kOriginCases[] = {
    Route("OriginsAreAWord", "origins: https://a",
          "12:14: routes.origins: expected a list, found 'https://a'"),
    Route("OriginWithoutScheme", "origins: [app.example]", NoOrigin("12:15", "app.example")),
    Route("OriginWithABadPort", "origins: ['https://a:x']", NoOrigin("12:15", "https://a:x")),
    Route("OriginWithPortZero", "origins: ['https://a:0']", NoOrigin("12:15", "https://a:0")),
    Route("OriginIsNullInCapitals", "origins: ['NULL']", NoOrigin("12:15", "NULL")),
    Route("OriginWithAStarInside", "origins: ['https://a.*.example']",
          NoOrigin("12:15", "https://a.*.example")),
    Route("OriginWithAStarOnly", "origins: ['https://*']", NoOrigin("12:15", "https://*")),
    Route("OriginWithTwoStars", "origins: ['https://*.*.a']", NoOrigin("12:15", "https://*.*.a")),
    Route("OriginWithAStarBeforeALiteral", "origins: ['https://*.[::1]']",
          NoOrigin("12:15", "https://*.[::1]")),
    Route("OriginWithAnEmptyLabel", "origins: ['https://a..b']", NoOrigin("12:15", "https://a..b")),
    Route("OriginWithAUser", "origins: ['https://me@a']", NoOrigin("12:15", "https://me@a")),
    Route("OriginNotAscii", "origins: ['https://é.example']",
          NoOrigin("12:15", "https://é.example")),
    Route("AnyOrigin", "origins: ['*']",
          "12:15: routes.origins: '*' is no origin; leave origins out to admit all"),
    Route("OriginWithASlash", "origins: ['https://a.example/']",
          "12:15: routes.origins: an origin has no path; did you mean 'https://a.example'?"),
    Route("OriginTwice", "origins: ['https://a', 'https://b', 'HTTPS://A:443']",
          "12:41: routes.origins: 'HTTPS://A:443' is there twice"),
};
INSTANTIATE_TEST_SUITE_P(Origins, BadAdmissionTest, testing::ValuesIn(kOriginCases), NameOf);

const BadCase kQueryCases[] = {
    Route("StripIsAWord", "strip_query: token",
          "12:18: routes.strip_query: expected a list, found 'token'"),
    Route("StripNothing", "strip_query: ['']",
          "12:19: routes.strip_query: is empty; name a query parameter"),
    Route("StripTwice", "strip_query: [a, b, a]", "12:25: routes.strip_query: 'a' is there twice"),
    Route("LiftIsEmpty", "lift: {}",
          "12:11: lift: 'query' is missing\n12:11: lift: 'to' is missing\n12:11: lift: 'name' is "
          "missing"),
    Route("LiftNothing", "lift: {query: '', to: header, name: X}",
          "12:19: lift.query: is empty; name a query parameter"),
    Route("LiftToACookie", "lift: {query: a, to: cookie, name: X}",
          "12:26: lift.to: expected header, found 'cookie'"),
    Route("LiftToNoHeader", "lift: {query: a, to: header, name: 'X Y'}",
          "12:40: lift.name: 'X Y' cannot be the name of a header"),
    Route("LiftToHost", "lift: {query: a, to: header, name: host}",
          "12:40: lift.name: 'host' cannot be set: it belongs to the connection or is the proxy's "
          "own"),
    Route("LiftToFraming", "lift: {query: a, to: header, name: Content-Length}",
          "12:40: lift.name: 'Content-Length' cannot be set: it belongs to the connection or is "
          "the proxy's own"),
    Route("LiftToTheHandshake", "lift: {query: a, to: header, name: Sec-WebSocket-Protocol}",
          "12:40: lift.name: 'Sec-WebSocket-Protocol' cannot be set: it belongs to the connection "
          "or is the proxy's own"),
    Route("LiftToAClaim", "lift: {query: a, to: header, name: X_Forwarded_For}",
          "12:40: lift.name: 'X_Forwarded_For' cannot be set: it belongs to the connection or is "
          "the proxy's own"),
    Route("LiftWithoutPlace", "lift: {query: a, to: header, name: X, format: Bearer}",
          "12:51: lift.format: must have {} once, where the value goes, found 'Bearer'"),
    Route("LiftWithTwoPlaces", "lift: {query: a, to: header, name: X, format: '{}{}'}",
          "12:51: lift.format: must have {} once, where the value goes, found '{}{}'"),
    Route("LiftNotAscii", "lift: {query: a, to: header, name: X, format: 'é{}'}",
          "12:51: lift.format: must be ASCII, found 'é{}'"),
    {"LiftIntoAnAnswersHeader",
     {{12, "    lift: {query: a, to: header, name: x_user}"},
      {13, "    auth: {forward: {url: http://a, headers: [X-User]}}"}},
     "12:40: lift.name: 'x_user' is in auth.forward.headers: any client could say it by its query"},
};
INSTANTIATE_TEST_SUITE_P(Query, BadAdmissionTest, testing::ValuesIn(kQueryCases), NameOf);

BadCase Jwt(const std::string& name, const std::string& jwt, const std::string& expected) {
  return Route(name, "auth: {jwt: {" + jwt + "}}", expected);
}

const std::string kRsa = "algorithms: [RS256], keys_file: keys.pem, ";

// `lift` beside tokens that may be elsewhere.
BadCase LiftBeside(const std::string& name, const std::string& lift, const std::string& from,
                   const std::string& first) {
  return Route(
      name, "lift: {query: " + lift + "}\n    auth: {jwt: {" + kRsa + "from: [" + from + "]}}",
      "12:11: routes.lift: would put a token that auth.jwt has not checked in the place of one "
      "that it has; let auth.jwt.from begin with {query: " +
          first + "}");
}

const BadCase kJwtCases[] = {
    Route("AuthIsAWord", "auth: jwt", "12:11: auth: expected keys and values, found 'jwt'"),
    Route("AuthIsEmpty", "auth: {}", "12:11: auth: needs jwt, forward or both"),
    Route("UnknownAuth", "auth: {basic: {}}",
          "12:11: auth: needs jwt, forward or both\n12:12: auth: unknown key 'basic'"),
    Route("JwtIsAWord", "auth: {jwt: keys.pem}",
          "12:17: auth.jwt: expected keys and values, found 'keys.pem'"),
    Jwt("NoAlgorithms", "keys_file: keys.pem", "12:17: auth.jwt: 'algorithms' is missing"),
    Jwt("EmptyAlgorithms", "algorithms: []", "12:30: auth.jwt.algorithms: the list is empty"),
    Jwt("AlgorithmNone", "algorithms: [none]",
        "12:31: auth.jwt.algorithms: expected HS256, HS384, HS512, RS256, RS384, RS512, PS256, "
        "PS384, PS512, ES256, ES384, ES512 or EdDSA, found 'none'"),
    Jwt("AlgorithmInLowerCase", "algorithms: [rs256]",
        "12:31: auth.jwt.algorithms: expected HS256, HS384, HS512, RS256, RS384, RS512, PS256, "
        "PS384, PS512, ES256, ES384, ES512 or EdDSA, found 'rs256'"),
    Jwt("AlgorithmTwice", "algorithms: [ES256, ES256], keys_file: keys.pem",
        "12:38: auth.jwt.algorithms: 'ES256' is there twice"),
    Jwt("BothKinds", "algorithms: [RS256, HS256], keys_file: keys.pem, secret: x",
        "12:30: auth.jwt.algorithms: HS* must not stand beside others: who has the public key "
        "could sign with it; use two routes"),
    LiftBeside("LiftOverABearer", "t, to: header, name: authorization", "bearer, {query: t}", "t"),
    LiftBeside("LiftOverAHeader", "x, to: header, name: X-Token", "{header: x-token}", "x"),
    LiftBeside("LiftOfALaterPlace", "t, to: header, name: X", "{cookie: t}, {query: t}", "t"),
    Jwt("NoSecret", "algorithms: [HS256]",
        "12:17: auth.jwt: 'secret' or 'secret_file' is missing: HS* need one"),
    Jwt("TwoSecrets",
        "algorithms: [HS256], secret: 0123456789abcdef0123456789abcdef, secret_file: secret",
        "12:94: auth.jwt.secret_file: there is auth.jwt.secret as well; keep one"),
    Jwt("ShortSecretOfTheLongestHash",
        "algorithms: [HS256, HS512], secret: 0123456789abcdef0123456789abcdef0123456789abcdef",
        "12:54: auth.jwt.secret: is shorter than 64 bytes and could be guessed; `openssl rand -hex "
        "32` prints one"),
    Jwt("ShortSecretOfHs384", "algorithms: [HS384], secret: 0123456789abcdef0123456789abcdef",
        "12:47: auth.jwt.secret: is shorter than 48 bytes and could be guessed; `openssl rand -hex "
        "32` prints one"),
    Jwt("PublicSecret",
        "algorithms: [HS256], secret: '-----BEGIN PUBLIC KEY----- 0123456789abcdef'",
        "12:47: auth.jwt.secret: is PEM, which everybody may have; HS* need a secret"),
    Jwt("ShortSecret", "algorithms: [HS256], secret: 0123456789abcdef0123456789abcde",
        "12:47: auth.jwt.secret: is shorter than 32 bytes and could be guessed; `openssl rand -hex "
        "32` prints one"),
    Jwt("ShortSecretInAFile", "algorithms: [HS256], secret_file: short",
        "12:52: auth.jwt.secret_file: is shorter than 32 bytes and could be guessed; `openssl rand "
        "-hex 32` prints one"),
    Jwt("SecretFileIsMissing", "algorithms: [HS256], secret_file: none",
        "12:52: auth.jwt.secret_file: 'DIR/none' cannot be read: No such file or directory"),
    Jwt("KeysOfASharedSecret", "algorithms: [HS256], secret_file: secret, keys_file: keys.pem",
        "12:71: auth.jwt.keys_file: is of no use to HS*, which need a secret"),
    Jwt("NoKeys", "algorithms: [RS256]", "12:17: auth.jwt: 'keys_file' is missing"),
    Jwt("KeysAreMissing", "algorithms: [RS256], keys_file: none.pem",
        "12:50: auth.jwt.keys_file: 'DIR/none.pem' cannot be read: No such file or directory"),
    Jwt("SecretOfPublicKeys", kRsa + "secret: x",
        "12:68: auth.jwt.secret: is of no use but to HS*; the others need a keys_file"),
    Jwt("SecretFileOfPublicKeys", kRsa + "secret_file: x",
        "12:73: auth.jwt.secret_file: is of no use but to HS*; the others need a keys_file"),
    Jwt("EmptyIssuer", kRsa + "issuer: ''", "12:68: auth.jwt.issuer: is empty"),
    Jwt("EmptyAudience", kRsa + "audience: ''", "12:70: auth.jwt.audience: is empty"),
    Jwt("NoAudience", kRsa + "audience: []", "12:70: auth.jwt.audience: the list is empty"),
    Jwt("AudienceTwice", kRsa + "audience: [a, a]", "12:74: auth.jwt.audience: 'a' is there twice"),
    Jwt("LeewayTooLong", kRsa + "leeway: 11m",
        "12:68: auth.jwt.leeway: must be from 0 to 10m, found '11m'"),
    Jwt("UnknownJwtKey", kRsa + "iss: a", "12:60: auth.jwt: unknown key 'iss'"),
    Jwt("FromIsAWord", kRsa + "from: bearer",
        "12:66: auth.jwt.from: expected a list, found 'bearer'"),
    Jwt("FromNowhere", kRsa + "from: []", "12:66: auth.jwt.from: the list is empty"),
    Jwt("FromAnotherWord", kRsa + "from: [cookie]",
        "12:67: auth.jwt.from: expected bearer, {header: NAME}, {query: NAME}, {cookie: NAME} or "
        "{subprotocol: PREFIX}, found 'cookie'"),
    Jwt("FromTwoAtOnce", kRsa + "from: [{header: a, query: b}]",
        "12:67: auth.jwt.from: expected one of bearer, {header: NAME}, {query: NAME}, {cookie: "
        "NAME} or {subprotocol: PREFIX}"),
    Jwt("FromAnEmptyMapping", kRsa + "from: [{}]",
        "12:67: auth.jwt.from: expected one of bearer, {header: NAME}, {query: NAME}, {cookie: "
        "NAME} or {subprotocol: PREFIX}"),
    Jwt("FromAnUnknownPlace", kRsa + "from: [{heder: a}]",
        "12:68: auth.jwt.from: unknown key 'heder'; did you mean 'header'?"),
    Jwt("FromNoHeader", kRsa + "from: [{header: 'a b'}]",
        "12:76: auth.jwt.from.header: 'a b' cannot be the name of a header"),
    Jwt("FromNoQuery", kRsa + "from: [{query: ''}]",
        "12:75: auth.jwt.from.query: '' cannot be the name of a query"),
    Jwt("FromNoCookie", kRsa + "from: [{cookie: 'a;b'}]",
        "12:76: auth.jwt.from.cookie: 'a;b' cannot be the name of a cookie"),
    Jwt("FromNoSubprotocol", kRsa + "from: [{subprotocol: 'a,'}]",
        "12:81: auth.jwt.from.subprotocol: 'a,' cannot be the begin of a subprotocol"),
    Jwt("FromTheSamePlaceTwice", kRsa + "from: [bearer, {query: a}, bearer]",
        "12:87: auth.jwt.from: the same place is there twice"),
    {"ClaimOfAnotherRoute",
     {{12, "    session: {key: \"{jwt.sub}\"}"},
      {13,
       "  - {name: b, match: {path: /b}, upstream: agent, auth: {jwt: {algorithms: [RS256], "
       "keys_file: keys.pem}}}"}},
     "12:20: session.key: {jwt.sub} needs auth.jwt on this route, which says whose tokens to "
     "believe"},
    {"ClaimWithoutName",
     {{12, "    auth: {jwt: {algorithms: [RS256], keys_file: keys.pem}}"},
      {13, "    session: {key: \"{jwt}\"}"}},
     "13:20: session.key: {jwt} must name what it takes: {jwt.NAME}"},
};
INSTANTIATE_TEST_SUITE_P(Jwt, BadAdmissionTest, testing::ValuesIn(kJwtCases), NameOf);

BadCase Forward(const std::string& name, const std::string& keys, const std::string& expected) {
  return Route(name, "auth: {forward: {" + keys + "}}", expected);
}

const BadCase kForwardCases[] = {
    Route("ForwardIsAWord", "auth: {forward: http://a/}",
          "12:21: auth.forward: expected keys and values, found 'http://a/'"),
    Forward("NoUrl", "timeout: 1s", "12:21: auth.forward: 'url' is missing"),
    Forward("UnixUrl", "url: unix:/run/auth",
            "12:27: auth.forward.url: expected http://host:port/path or https://host:port/path, "
            "found 'unix:/run/auth'"),
    Forward("UrlWithAUser", "url: http://me@a/x",
            "12:27: auth.forward.url: a user in the URL is not supported"),
    Forward("UrlWithoutHost", "url: http:///x",
            "12:27: auth.forward.url: has no host; 0.0.0.0 is every IPv4 interface"),
    Forward("UrlWithASpace", "url: 'http://a/x y'",
            "12:27: auth.forward.url: expected a request target such as /check behind the host, "
            "found '/x y'"),
    Forward("UrlWithAFragment", "url: 'http://a#x'",
            "12:27: auth.forward.url: expected a request target such as /check behind the host, "
            "found '/#x'"),
    Forward("TimeoutZero", "url: http://a, timeout: 0",
            "12:46: auth.forward.timeout: must be from 1ms to 10m, found '0'"),
    Forward("HeadersAreAWord", "url: http://a, headers: X",
            "12:46: auth.forward.headers: expected a list, found 'X'"),
    Forward("NoHeader", "url: http://a, headers: ['X:']",
            "12:47: auth.forward.headers: 'X:' cannot be the name of a header"),
    Forward("HeaderOfTheConnection", "url: http://a, headers: [Transfer-Encoding]",
            "12:47: auth.forward.headers: 'Transfer-Encoding' cannot be set: it belongs to the "
            "connection or is the proxy's own"),
    Forward("HeaderTwice", "url: http://a, headers: [X-A, x-a]",
            "12:52: auth.forward.headers: 'x-a' is there twice"),
    Forward("TlsWithoutHttps", "url: http://a, tls: {}",
            "12:42: auth.forward.tls: needs a url that begins with https://"),
    Forward("CaIsMissing", "url: https://a, tls: {ca: none.pem}",
            "12:48: auth.forward.tls.ca: 'DIR/none.pem' cannot be read: No such file or directory"),
    Forward("UnknownForwardKey", "url: http://a, header: [X]",
            "12:37: auth.forward: unknown key 'header'; did you mean 'headers'?"),
    {"WhomAForwardAsksIsNoUpstream",
     {{12, "    auth: {forward: {url: http://a}}"},
      {13, "  - {name: b, match: {path: /b}, upstream: \"auth:chat\"}"}},
     "13:44: routes.upstream: unknown upstream 'auth:chat'"},
};
INSTANTIATE_TEST_SUITE_P(Forward, BadAdmissionTest, testing::ValuesIn(kForwardCases), NameOf);

}  // namespace
}  // namespace connguard
