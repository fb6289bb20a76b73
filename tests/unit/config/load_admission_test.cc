// Sound TLS, origins, authentication and credentials: what reaches the Config, and back.
#include <gtest/gtest.h>

#include "cases.h"
#include "config/reload_plan.h"
#include "dump.h"

namespace connguard {
namespace {

class LoadAdmissionTest : public testing::Test {
 protected:
  LoadAdmissionTest() {
    for (const char* name : {"a.crt", "b.crt", "ca.crt"}) folder_.Write(name, SomeCertificate());
    for (const char* name : {"a.key", "b.key"}) folder_.Write(name, ItsKey());
    folder_.Write("jwt.pem", SomePublicKeys());
    folder_.Write("secret", "0123456789abcdef0123456789abcdef\n");
  }

  Config Load(const std::map<int, std::string>& lines) const {
    const LoadResult result = LoadIn(folder_, {"", lines, ""});
    EXPECT_TRUE(result.config) << ComplaintsIn(folder_, result);
    return result.config.value_or(Config{});
  }

  // The lines of Dump() that begin as `begin` does, without the folder's path.
  std::string Dumped(const Config& config, const std::string& begin) const {
    std::istringstream lines(Dump(config));
    std::string out;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(begin)) out += line + "\n";
    }
    const std::string path = folder_.path().string() + "/";
    for (std::size_t at = out.find(path); at != std::string::npos; at = out.find(path)) {
      out.erase(at, path.size());
    }
    return out;
  }

  void ExpectRoundTrip(const Config& config) const {
    const std::string text = PrintConfig(config);
    const Environment secrets = [](std::string_view name) -> std::optional<std::string> {
      if (name == "CONNGUARD_JWT_SECRET_CHAT") return "0123456789abcdef0123456789abcdef";
      return std::nullopt;
    };
    const LoadResult again = LoadConfigText(text, "elsewhere/printed.yaml", secrets, {});
    ASSERT_TRUE(again.config) << Complaints(again) << "\n" << text;
    EXPECT_EQ(Dump(*again.config), Dump(config)) << text;
    EXPECT_EQ(PrintConfig(*again.config), text);
  }

  const Folder folder_;
};

TEST_F(LoadAdmissionTest, EveryWordOfAListenersTlsReachesItsField) {
  const Config config =
      Load({{4,
             "    bind: 127.0.0.1:1\n    tls:\n"
             "      certificates: [{chain: a.crt, key: a.key}, {chain: ./b.crt, key: x/../b.key}]\n"
             "      client_ca: ca.crt\n      min_version: 1.3\n"
             "      subject_header: X-Sub\n      fingerprint_header: X-Fin\n"
             "    proxy_protocol: true\n    trusted_proxies: [10.0.0.0/8]"}});
  EXPECT_EQ(Dumped(config, "listener"), "listener public 127.0.0.1:1 proxy 1 trusts 10.0.0.0/8\n");
  EXPECT_EQ(Dumped(config, " tls"),
            " tls <a.crt> <a.key> <b.crt> <b.key> ca <ca.crt> version 1 tells <X-Sub> <X-Fin>\n");
  ExpectRoundTrip(config);
}

TEST_F(LoadAdmissionTest, TlsOfAListenerNeedsNoMoreThanACertificate) {
  const Config config = Load({{4,
                               "    bind: 127.0.0.1:1\n"
                               "    tls: {certificates: [{chain: a.crt, key: a.key}]}"}});
  EXPECT_EQ(Dumped(config, " tls"), " tls <a.crt> <a.key> ca <> version 0 tells <> <>\n");
  ExpectRoundTrip(config);
}

TEST_F(LoadAdmissionTest, EveryWordOfAnUpstreamsTlsReachesItsField) {
  const Config config =
      Load({{7,
             "    url: https://agent:8443/\n    tls: {ca: ca.crt, server_name: agent.local, "
             "verify: false,\n      certificate: {chain: a.crt, key: a.key}}"}});
  EXPECT_EQ(config.upstreams[0].address.port, 8443);
  EXPECT_EQ(Dumped(config, " tls"),
            " tls ca <ca.crt> name <agent.local> verify 0 own <a.crt> <a.key>\n");
  ExpectRoundTrip(config);
}

TEST_F(LoadAdmissionTest, HttpsAloneIsTlsThatIsVerified) {
  const Config config = Load({{7, "    url: https://agent"}});
  EXPECT_EQ(config.upstreams[0].address.port, 443);
  EXPECT_EQ(Dumped(config, " tls"), " tls ca <> name <> verify 1\n");
  ExpectRoundTrip(config);
  EXPECT_EQ(Dumped(Load({}), " tls"), "");
}

TEST_F(LoadAdmissionTest, ServerNamesMayBeAddresses) {
  for (const char* name : {"192.0.2.1", "'2001:db8::1'", "a.example"}) {
    Load({{7, std::string("    url: https://a\n    tls: {server_name: ") + name + "}"}});
  }
}

TEST_F(LoadAdmissionTest, OriginsAreLowerCasedAndGetTheirPort) {
  const Config config =
      Load({{12,
             "    origins: [https://App.Example, 'http://*.Example.com', 'https://[::1]:8443', "
             "'null', 'capacitor://localhost', 'https://*.a:443']"}});
  EXPECT_EQ(Dumped(config, " origin"),
            " origin <https> <app.example> 443 any 0\n"
            " origin <http> <example.com> 80 any 1\n"
            " origin <https> <[::1]> 8443 any 0\n"
            " origin <> <> 0 any 0\n"
            " origin <capacitor> <localhost> 0 any 0\n"
            " origin <https> <a> 443 any 1\n");
  ExpectRoundTrip(config);
}

TEST_F(LoadAdmissionTest, EveryWordOfJwtReachesItsField) {
  const Config config =
      Load({{12,
             "    auth:\n      jwt:\n        algorithms: [RS256, PS512, ES384, EdDSA]\n"
             "        keys_file: jwt.pem\n        issuer: 'https://id/$$x'\n"
             "        audience: [a b, '$$c']\n        leeway: 5s\n"
             "        from: [{header: X-T}, bearer, {query: 'a b'}, {cookie: c}, {subprotocol: p.}]"
             "\n    session: {key: '{jwt.sub}/{jwt.https://x.y/z}'}"}});
  EXPECT_EQ(Dumped(config, " jwt"),
            " jwt 3 8 10 12 secret <> keys <jwt.pem> issuer <https://id/$x> leeway 5000 audience "
            "<a b> <$c> from 1 <X-T> 0 <> 2 <a b> 3 <c> 4 <p.>\n");
  EXPECT_EQ(Dumped(config, " key"), " key 6 <sub> 0 </> 6 <https://x.y/z>\n");
  ExpectRoundTrip(config);
}

TEST_F(LoadAdmissionTest, JwtNeedsNoMoreThanAlgorithmsAndASecret) {
  const std::string secret = "0123456789abcdef0123456789abcdef";
  for (const std::string& word : {std::string("secret_file: secret"), "secret: " + secret}) {
    const Config config = Load({{12, "    auth: {jwt: {algorithms: [HS256], " + word + "}}"}});
    EXPECT_EQ(Dumped(config, " jwt"),
              " jwt 0 secret <" + secret + "> keys <> issuer <> leeway 30000 audience from 0 <>\n");
    EXPECT_EQ(PrintConfig(config).find(secret), std::string::npos);
    ExpectRoundTrip(config);
  }
  EXPECT_EQ(Dumped(Load({{12,
                          "    auth: {jwt: {algorithms: [ES256], keys_file: jwt.pem, audience: "
                          "one}}"}}),
                   " jwt"),
            " jwt 9 secret <> keys <jwt.pem> issuer <> leeway 30000 audience <one> from 0 <>\n");
}

TEST_F(LoadAdmissionTest, APrintedSecretLoadsOnlyFromItsVariable) {
  const Config config = Load({{9, "  - name: a-b.c"},
                              {12, "    auth: {jwt: {algorithms: [HS256], secret_file: secret}}"}});
  const LoadResult again =
      LoadConfigText(PrintConfig(config), "printed.yaml", TestEnvironment(), {});
  EXPECT_NE(Complaints(again).find("variable 'CONNGUARD_JWT_SECRET_A_B_C' is not set"),
            std::string::npos)
      << Complaints(again);
}

TEST_F(LoadAdmissionTest, ForwardAsksAnUpstreamThatNoRouteNames) {
  const Config config =
      Load({{12,
             "    auth: {forward: {url: 'https://auth:81/check?x=$$1', timeout: 2s,"
             " headers: [X-User, x-roles], tls: {ca: ca.crt}}}"},
            {13, "  - {name: b, match: {path: /b}, upstream: agent,"},
            {14, "     auth: {forward: {url: http://auth}}}"}});
  EXPECT_EQ(Dumped(config, " forward"),
            " forward 1 </check?x=$1> 2000 <X-User> <x-roles>\n forward 2 </> 5000\n");
  ASSERT_EQ(config.upstreams.size(), 3U);
  EXPECT_EQ(config.upstreams[1].name, "auth:chat");
  EXPECT_EQ(config.upstreams[1].address.ToString(), "auth:81");
  EXPECT_EQ(config.upstreams[1].keepalive.connections, 0U);
  EXPECT_EQ(config.upstreams[2].address.ToString(), "auth:80");
  EXPECT_EQ(Dumped(config, " is auth"), " is auth\n is auth\n");
  EXPECT_EQ(Dumped(config, " tls"), " tls ca <ca.crt> name <> verify 1\n");
  EXPECT_EQ(PrintConfig(config).find("auth:chat"), std::string::npos);
  ExpectRoundTrip(config);
}

TEST_F(LoadAdmissionTest, ARouteMayHaveBothKindsOfAuth) {
  const Config config = Load({{12,
                               "    auth: {jwt: {algorithms: [RS256], keys_file: jwt.pem}, "
                               "forward: {url: http://a}}"}});
  EXPECT_TRUE(config.routes[0].auth->jwt);
  EXPECT_TRUE(config.routes[0].auth->forward);
  ExpectRoundTrip(config);
}

TEST_F(LoadAdmissionTest, CredentialsInTheQuery) {
  const Config config =
      Load({{12,
             "    strip_query: [token, 'a b', '$$']\n    lift: {query: t, to: header, "
             "name: Authorization, format: 'Bearer {};$$'}"}});
  EXPECT_EQ(Dumped(config, " strip"), " strip <token>\n strip <a b>\n strip <$>\n");
  EXPECT_EQ(Dumped(config, " lift"), " lift <t> <Authorization> <Bearer > <;$>\n");
  ExpectRoundTrip(config);
  const Config plain = Load({{12, "    lift: {query: t, to: header, name: X-T}"}});
  EXPECT_EQ(Dumped(plain, " lift"), " lift <t> <X-T> <> <>\n");
  ExpectRoundTrip(plain);
}

TEST_F(LoadAdmissionTest, ReadableKeysLetSecretsBeOpenToAll) {
  std::filesystem::permissions(folder_.path() / "secret", std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const std::map<int, std::string> lines = {
      {12, "    auth: {jwt: {algorithms: [HS256], secret_file: secret}}"}};
  EXPECT_FALSE(LoadIn(folder_, {"", lines, ""}).config);
  std::map<int, std::string> readable = lines;
  readable[13] = "readable_keys: true";
  ExpectRoundTrip(Load(readable));
}

using Lines = std::vector<std::string>;

TEST_F(LoadAdmissionTest, NewCertificatesAreLiveAndTlsItselfNeedsARestart) {
  const auto tls = [this](const std::string& words) {
    return Load({{4, "    bind: 127.0.0.1:1" + words}});
  };
  const Config plain = tls("");
  const Config one = tls("\n    tls: {certificates: [{chain: a.crt, key: a.key}]}");
  const Config other =
      tls("\n    tls: {certificates: [{chain: b.crt, key: b.key}], client_ca: ca.crt, "
          "min_version: '1.3'}");
  const std::string dir = folder_.path().string();
  const ReloadPlan renewed = PlanReload(one, other);
  EXPECT_EQ(renewed.live,
            (Lines{"listeners.public: tls.certificates: [{chain: " + dir + "/a.crt, key: " + dir +
                       "/a.key}] -> [{chain: " + dir + "/b.crt, key: " + dir + "/b.key}]",
                   "listeners.public: tls.min_version: 1.2 -> 1.3",
                   "listeners.public: tls.client_ca: (none) -> " + dir + "/ca.crt"}));
  EXPECT_EQ(renewed.restart, Lines());
  EXPECT_EQ(Dump(renewed.applicable), Dump(other));
  for (const ReloadPlan& plan : {PlanReload(plain, one), PlanReload(one, plain)}) {
    EXPECT_EQ(plan.live, Lines());
    EXPECT_EQ(plan.restart.size(), 2U);
  }
  EXPECT_EQ(Dump(PlanReload(plain, one).applicable), Dump(plain));
}

TEST_F(LoadAdmissionTest, TheProxyProtocolNeedsARestart) {
  const auto with = [this](const std::string& word) {
    return Load({{4, "    bind: 127.0.0.1:1\n    trusted_proxies: [10.0.0.0/8]\n    " + word}});
  };
  const ReloadPlan plan = PlanReload(with(""), with("proxy_protocol: true"));
  EXPECT_EQ(plan.live, Lines());
  EXPECT_EQ(plan.restart, Lines{"listeners.public: proxy_protocol: false -> true"});
  EXPECT_FALSE(plan.applicable.listeners[0].proxy_protocol);
}

TEST_F(LoadAdmissionTest, ANewSecretIsLiveAndNotShown) {
  const auto with = [this](const std::string& secret) {
    return Load({{12, "    auth: {jwt: {algorithms: [HS256], secret: " + secret + "}}"}});
  };
  const ReloadPlan plan = PlanReload(with(std::string(32, 'a')), with(std::string(32, 'b')));
  EXPECT_EQ(plan.live, Lines{"routes.chat: auth.jwt.secret: changed"});
  EXPECT_EQ(plan.restart, Lines());
}

TEST_F(LoadAdmissionTest, WhomAForwardAsksIsLive) {
  const auto with = [this](const std::string& url) {
    return Load({{12, "    auth: {forward: {url: '" + url + "'}}"}});
  };
  const ReloadPlan plan = PlanReload(with("http://a/x"), with("http://a/y"));
  EXPECT_EQ(plan.live, Lines{"routes.chat: auth.forward.url: http://a/x -> http://a/y"});
  EXPECT_EQ(plan.applicable.routes[0].auth->forward->target, "/y");
}

}  // namespace
}  // namespace connguard
