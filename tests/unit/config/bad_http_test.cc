// What the loader says to mistakes about trusted proxies and plain HTTP: exact words at exact
// places.
#include <gtest/gtest.h>

#include "cases.h"

namespace connguard {
namespace {

class BadHttpTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadHttpTest, IsReportedWhereItStands) {
  const LoadResult result = LoadConfigText(TextOf(GetParam()), "x.yaml", TestEnvironment(), {});
  EXPECT_EQ(Complaints(result), GetParam().expected) << TextOf(GetParam());
  EXPECT_FALSE(result.config);
}

std::string NameOf(const testing::TestParamInfo<BadCase>& info) { return info.param.name; }

BadCase Trusted(const std::string& name, const std::string& list, const std::string& expected) {
  return {name, {{4, "    bind: 127.0.0.1:1\n    trusted_proxies: " + list}}, expected};
}

const BadCase kTrustedCases[] = {
    Trusted("Empty", "", "5:5: listeners.trusted_proxies: has no value"),
    Trusted("IsAWord", "10.0.0.0/8",
            "5:22: listeners.trusted_proxies: expected a list, found '10.0.0.0/8'"),
    Trusted("HoldsAList", "[[10.0.0.0/8]]",
            "5:23: listeners.trusted_proxies: expected one value, found a list"),
    Trusted("HoldsNothing", "[10.0.0.0/8, ~]", "5:22: listeners.trusted_proxies: has no value"),
    Trusted("IsAHost", "[10.0.0.0/8, proxy.example]",
            "5:35: listeners.trusted_proxies: expected an address or a network such as 10.0.0.0/8 "
            "or fd00::/8, found 'proxy.example'"),
    Trusted("PrefixTooLong", "[10.0.0.0/33]",
            "5:23: listeners.trusted_proxies: the prefix must be from 0 to 32, found '33'"),
    Trusted("HostBits", "[\"fd00::1/8\"]",
            "5:23: listeners.trusted_proxies: 'fd00::1/8' has host bits set; did you mean "
            "'fd00::/8'?"),
    Trusted("Twice", "[10.0.0.0/8, \"::ffff:10.0.0.0/104\"]",
            "5:35: listeners.trusted_proxies: '::ffff:10.0.0.0/104' is there twice"),
    Trusted("EachMistake", "[10.0.0.1/8, x, \"${NONE}\", 192.0.2.1]",
            "5:23: listeners.trusted_proxies: '10.0.0.1/8' has host bits set; did you mean "
            "'10.0.0.0/8'?\n5:35: listeners.trusted_proxies: expected an address or a network such "
            "as 10.0.0.0/8 or fd00::/8, found 'x'\n5:39: listeners.trusted_proxies: variable "
            "'NONE' is not set; write ${NONE:-value} to give it a default"),
};
INSTANTIATE_TEST_SUITE_P(Trusted, BadHttpTest, testing::ValuesIn(kTrustedCases), NameOf);

BadCase Upstream(const std::string& name, const std::string& line, const std::string& expected) {
  return {name, {{7, "    url: http://a:1\n    " + line}}, expected};
}

const BadCase kPlainCases[] = {
    Upstream("ResponseTimeoutZero", "response_timeout: 0",
             "8:23: upstreams.response_timeout: must be from 1ms to 24h, found '0'"),
    Upstream("ResponseTimeoutTooLong", "response_timeout: 25h",
             "8:23: upstreams.response_timeout: must be from 1ms to 24h, found '25h'"),
    Upstream("KeepaliveIsAWord", "keepalive: 60s",
             "8:16: upstreams.keepalive: expected keys and values, found '60s'"),
    Upstream("KeepaliveUnknownKey", "keepalive: {ilde: 60s}",
             "8:17: upstreams.keepalive: unknown key 'ilde'; did you mean 'idle'?"),
    Upstream("KeepaliveIdleZero", "keepalive: {idle: 0}",
             "8:23: upstreams.keepalive.idle: must be from 1ms to 1h, found '0'"),
    Upstream("KeepaliveIdleTooLong", "keepalive: {idle: 61m}",
             "8:23: upstreams.keepalive.idle: must be from 1ms to 1h, found '61m'"),
    Upstream("KeepaliveTooManyConnections", "keepalive: {connections: 10001}",
             "8:30: upstreams.keepalive.connections: must be from 0 to 10000, found '10001'"),
    Upstream("KeepaliveConnectionsAuto", "keepalive: {connections: auto}",
             "8:30: upstreams.keepalive.connections: expected a whole number, found 'auto'"),
    Upstream("ForwardedYes", "forwarded: yes",
             "8:16: upstreams.forwarded: expected true or false, found 'yes'"),
    Upstream("ForwardedInCapitals", "forwarded: TRUE",
             "8:16: upstreams.forwarded: expected true or false, found 'TRUE'"),
    Upstream("ViaAName", "via: connguard",
             "8:10: upstreams.via: expected true or false, found 'connguard'"),
    Upstream("ViaNearlyTrue", "via: ture",
             "8:10: upstreams.via: expected true or false, found 'ture'; did you mean 'true'?"),
    Upstream("TraceparentAWord", "traceparent: sampled",
             "8:18: upstreams.traceparent: expected true or false, found 'sampled'"),
    Upstream("ViaIsEmpty", "via:", "8:5: upstreams.via: has no value"),
    Upstream("ViaIsAList", "via: [true]", "8:10: upstreams.via: expected one value, found a list"),
    {"LimitKeepaliveTimeoutZero",
     {{12, "limits: {keepalive_timeout: 0}"}},
     "12:29: limits.keepalive_timeout: must be from 1ms to 1h, found '0'"},
    {"LimitKeepaliveTimeoutTooLong",
     {{12, "limits: {keepalive_timeout: 3601s}"}},
     "12:29: limits.keepalive_timeout: must be from 1ms to 1h, found '3601s'"},
    {"LimitBodyTimeoutZero",
     {{12, "limits: {body_timeout: 0}"}},
     "12:24: limits.body_timeout: must be from 1ms to 1h, found '0'"},
    {"LimitBodyTimeoutTooLong",
     {{12, "limits: {body_timeout: 2h}"}},
     "12:24: limits.body_timeout: must be from 1ms to 1h, found '2h'"},
    {"LimitBodySizeTooLarge",
     {{12, "limits: {body_size: 1025GiB}"}},
     "12:21: limits.body_size: must be from 0 to 1024GiB, found '1025GiB'"},
    {"LimitBodySizeWithoutUnit",
     {{12, "limits: {body_size: 1048576}"}},
     "12:21: limits.body_size: '1048576' has no unit; use B, KiB, MiB or GiB"},
};
INSTANTIATE_TEST_SUITE_P(Plain, BadHttpTest, testing::ValuesIn(kPlainCases), NameOf);

}  // namespace
}  // namespace connguard
