// What the loader says to mistakes about TLS, the PROXY protocol and files: exact words at exact
// places.
#include <gtest/gtest.h>

#include "cases.h"
#include "config/file_access.h"

namespace connguard {
namespace {

// In a folder with chain.pem, ca.pem and key.pem, which others cannot read, and open.pem, which
// they can.
class BadTlsTest : public testing::TestWithParam<BadCase> {
 protected:
  BadTlsTest() {
    for (const char* name : {"chain.pem", "ca.pem"}) folder_.Write(name, SomeCertificate());
    for (const char* name : {"key.pem", "open.pem"}) folder_.Write(name, ItsKey());
    std::filesystem::permissions(folder_.path() / "open.pem", std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
  }

  const Folder folder_;
};

TEST_P(BadTlsTest, IsReportedWhereItStands) {
  const LoadResult result = LoadIn(folder_, GetParam());
  EXPECT_EQ(ComplaintsIn(folder_, result), GetParam().expected) << TextOf(GetParam());
  EXPECT_FALSE(result.config);
}

std::string NameOf(const testing::TestParamInfo<BadCase>& info) { return info.param.name; }

BadCase Listener(const std::string& name, const std::string& lines, const std::string& expected) {
  return {name, {{4, "    bind: 127.0.0.1:1\n    " + lines}}, expected};
}

constexpr const char* kPair = "certificates: [{chain: chain.pem, key: key.pem}]";

const BadCase kListenerCases[] = {
    Listener("IsAWord", "tls: on", "5:10: listeners.tls: expected keys and values, found 'on'"),
    Listener("NoCertificates", "tls: {}", "5:10: listeners.tls: 'certificates' is missing"),
    Listener("EmptyCertificates", "tls: {certificates: []}",
             "5:25: listeners.tls.certificates: the list is empty"),
    Listener("CertificateIsAWord", "tls: {certificates: [chain.pem]}",
             "5:26: listeners.tls.certificates: expected keys and values, found 'chain.pem'"),
    Listener("NoChain", "tls: {certificates: [{key: key.pem}]}",
             "5:26: listeners.tls.certificates: 'chain' is missing"),
    Listener("NoKey", "tls: {certificates: [{chain: chain.pem}]}",
             "5:26: listeners.tls.certificates: 'key' is missing"),
    Listener("UnknownCertificateKey",
             "tls: {certificates: [{chain: chain.pem, key: key.pem, cert: x}]}",
             "5:59: listeners.tls.certificates: unknown key 'cert'"),
    Listener("ChainIsMissing", "tls: {certificates: [{chain: sub/../none.pem, key: key.pem}]}",
             "5:34: listeners.tls.certificates.chain: 'DIR/none.pem' cannot be read: No such file "
             "or directory"),
    Listener("ChainIsAFolder", "tls: {certificates: [{chain: ., key: key.pem}]}",
             "5:34: listeners.tls.certificates.chain: 'DIR/' cannot be read: Is a directory"),
    Listener("ChainIsEmptyText", "tls: {certificates: [{chain: '', key: key.pem}]}",
             "5:34: listeners.tls.certificates.chain: is empty"),
    Listener("KeyIsOpenToAll", "tls: {certificates: [{chain: chain.pem, key: open.pem}]}",
             "5:50: listeners.tls.certificates.key: 'DIR/open.pem' can be read by everybody on "
             "this machine; take that away (chmod o-r), or say `readable_keys: true` where others "
             "cannot get at it"),
    Listener("SecondKeyIsMissing",
             "tls: {certificates: [{chain: chain.pem, key: key.pem}, {chain: chain.pem, key: "
             "/nonexistent/k}]}",
             "5:84: listeners.tls.certificates.key: '/nonexistent/k' cannot be read: No such file "
             "or directory"),
    Listener("ClientCaIsMissing", "tls: {" + std::string(kPair) + ", client_ca: none.pem}",
             "5:72: listeners.tls.client_ca: 'DIR/none.pem' cannot be read: No such file or "
             "directory"),
    Listener("OldVersion", "tls: {" + std::string(kPair) + ", min_version: '1.1'}",
             "5:74: listeners.tls.min_version: expected 1.2 or 1.3, found '1.1'; did you mean "
             "'1.2'?"),
    Listener("SubjectWithoutClientCa", "tls: {" + std::string(kPair) + ", subject_header: X-S}",
             "5:77: listeners.tls.subject_header: needs client_ca: without it no client has a "
             "certificate"),
    Listener("FingerprintWithoutClientCa",
             "tls: {" + std::string(kPair) + ", fingerprint_header: X-F}",
             "5:81: listeners.tls.fingerprint_header: needs client_ca: without it no client has a "
             "certificate"),
    Listener("SubjectInAFieldOfOneHop",
             "tls: {" + std::string(kPair) + ", client_ca: ca.pem, subject_header: Upgrade}",
             "5:96: listeners.tls.subject_header: 'Upgrade' cannot be set: it belongs to the "
             "connection or is the proxy's own"),
    Listener("FingerprintInNoField",
             "tls: {" + std::string(kPair) + ", client_ca: ca.pem, fingerprint_header: X F}",
             "5:100: listeners.tls.fingerprint_header: 'X F' cannot be the name of a header"),
    Listener("OneFieldForBoth",
             "tls: {" + std::string(kPair) +
                 ", client_ca: ca.pem, subject_header: X-C, fingerprint_header: x-c}",
             "5:121: listeners.tls.fingerprint_header: 'x-c' is subject_header as well"),
    Listener("UnknownKey", "tls: {" + std::string(kPair) + ", client_cert: x}",
             "5:61: listeners.tls: unknown key 'client_cert'; did you mean 'client_ca'?"),
    Listener("ProxyProtocolIsAWord", "proxy_protocol: v2",
             "5:21: listeners.proxy_protocol: expected true or false, found 'v2'"),
    Listener("ProxyProtocolOfWhom", "proxy_protocol: true",
             "5:21: listeners.proxy_protocol: needs trusted_proxies: the networks whose PROXY "
             "header is believed"),
    Listener("ProxyProtocolOfNobody", "proxy_protocol: true\n    trusted_proxies: []",
             "5:21: listeners.proxy_protocol: needs trusted_proxies: the networks whose PROXY "
             "header is believed"),
    {"ProxyProtocolOnAUnixSocket",
     {{4, "    bind: unix:/run/a\n    proxy_protocol: true\n    trusted_proxies: [10.0.0.0/8]"}},
     "5:21: listeners.proxy_protocol: peers of a unix socket have no address that trusted_proxies "
     "could name"},
    {"LiftIntoASubject",
     {{4, "    bind: 127.0.0.1:1"},
      {5, "    tls: {" + std::string(kPair) +
              ", client_ca: ca.pem, subject_header: X-Sub}\nupstreams:"},
      {12, "    lift: {query: a, to: header, name: x_sub}"}},
     "13:40: lift.name: 'x_sub' is in listeners.tls.subject_header: any client could say it by its "
     "query"},
    {"LiftIntoAFingerprint",
     {{4, "    bind: 127.0.0.1:1"},
      {5, "    tls: {" + std::string(kPair) +
              ", client_ca: ca.pem, fingerprint_header: X-F}\nupstreams:"},
      {12, "    lift: {query: a, to: header, name: X-F}"}},
     "13:40: lift.name: 'X-F' is in listeners.tls.fingerprint_header: any client could say it by "
     "its query"},
};
INSTANTIATE_TEST_SUITE_P(Listener, BadTlsTest, testing::ValuesIn(kListenerCases), NameOf);

BadCase Upstream(const std::string& name, const std::string& tls, const std::string& expected) {
  return {name, {{7, "    url: https://a\n    tls: " + tls}}, expected};
}

const BadCase kUpstreamCases[] = {
    {"TlsWithoutHttps",
     {{7, "    url: http://a\n    tls: {verify: true}"}},
     "8:10: upstreams.tls: needs a url that begins with https://"},
    {"TlsOnAUnixSocket",
     {{7, "    url: unix:/a\n    tls: {ca: ca.pem}"}},
     "8:10: upstreams.tls: needs a url that begins with https://"},
    {"TlsBesideAWrongUrl",
     {{7, "    url: wss://a\n    tls: {ca: none.pem}"}},
     "7:10: upstreams.url: expected http://host:port, https://host:port or unix:/path, found "
     "'wss://a'"},
    Upstream("TlsIsAWord", "on", "8:10: upstreams.tls: expected keys and values, found 'on'"),
    Upstream("CaIsMissing", "{ca: none.pem}",
             "8:15: upstreams.tls.ca: 'DIR/none.pem' cannot be read: No such file or directory"),
    Upstream("ServerNameWithAPort", "{server_name: 'a:443'}",
             "8:24: upstreams.tls.server_name: expected a host without port, found 'a:443'"),
    Upstream("VerifyOff", "{verify: off}",
             "8:19: upstreams.tls.verify: expected true or false, found 'off'"),
    Upstream("OwnCertificateWithoutKey", "{certificate: {chain: chain.pem}}",
             "8:24: upstreams.tls.certificate: 'key' is missing"),
    Upstream("OwnKeyIsOpenToAll", "{certificate: {chain: chain.pem, key: open.pem}}",
             "8:48: upstreams.tls.certificate.key: 'DIR/open.pem' can be read by everybody on this "
             "machine; take that away (chmod o-r), or say `readable_keys: true` where others "
             "cannot get at it"),
    Upstream("UnknownUpstreamTlsKey", "{cafile: x}", "8:11: upstreams.tls: unknown key 'cafile'"),
};
INSTANTIATE_TEST_SUITE_P(Upstream, BadTlsTest, testing::ValuesIn(kUpstreamCases), NameOf);

const BadCase kTokenCases[] = {
    {"AdminTokenIsOpenToAll",
     {{12, "admin: {bind: 127.0.0.1:9180, token_file: open.pem}"}},
     "12:43: admin.token_file: 'DIR/open.pem' can be read by everybody on this machine; take that "
     "away (chmod o-r), or say `readable_keys: true` where others cannot get at it"},
    {"AdminTokenIsEmpty",
     {{12, "admin: {bind: 127.0.0.1:9180, token_file: key.pem}"}},
     "12:43: admin.token_file: a token is 16 to 512 letters, digits and -._~+/=, as `openssl rand "
     "-hex 32` prints them"},
};
INSTANTIATE_TEST_SUITE_P(Token, BadTlsTest, testing::ValuesIn(kTokenCases), NameOf);

TEST(FileAccessTest, AFileThatOthersCanReadIsTold) {
  using std::filesystem::perms;
  const Folder folder;
  const std::string key = folder.Write("a.key", "");
  EXPECT_EQ(WhyExposedFile(key), "");
  std::filesystem::permissions(key, perms::owner_read | perms::group_read);
  EXPECT_EQ(WhyExposedFile(key), "");
  std::filesystem::permissions(key, perms::owner_read | perms::others_read);
  EXPECT_EQ(WhyExposedFile(key),
            "'" + key +
                "' can be read by everybody on this machine; take that away (chmod o-r), or say "
                "`readable_keys: true` where others cannot get at it");
  EXPECT_EQ(WhyExposedFile(folder.path() / "none"), "");
}

}  // namespace
}  // namespace connguard
