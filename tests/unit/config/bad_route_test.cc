// What the loader says to mistakes in routes: exact words at exact places.
#include <gtest/gtest.h>

#include "cases.h"

namespace connguard {
namespace {

class BadRouteTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadRouteTest, IsReportedWhereItStands) {
  const LoadResult result = LoadConfigText(TextOf(GetParam()), "x.yaml", TestEnvironment(), {});
  EXPECT_EQ(Complaints(result), GetParam().expected) << TextOf(GetParam());
  EXPECT_FALSE(result.config);
}

std::string NameOf(const testing::TestParamInfo<BadCase>& info) { return info.param.name; }

const BadCase kMatchCases[] = {
    {"NoRouteName", {{9, "  - match: {path: /}"}, {10, "-"}}, "9:5: routes: 'name' is missing"},
    {"RouteNameTwice",
     {{12, "  - {name: chat, upstream: agent}"}},
     "12:12: routes.name: 'chat' is taken, first in line 9"},
    {"NoUpstream", {{11, "-"}}, "9:5: routes: 'upstream' is missing"},
    {"UnknownUpstream",
     {{11, "    upstream: agnet"}},
     "11:15: routes.upstream: unknown upstream 'agnet'; did you mean 'agent'?"},
    {"UnknownRouteKey",
     {{12, "    sesion: {}"}},
     "12:5: routes: unknown key 'sesion'; did you mean 'session'?"},
    {"LaterRouteKeys",
     {{12, "    auth: {}"}, {13, "    compression: off"}},
     "12:5: routes: 'auth' is not supported in this version\n13:5: routes: 'compression' is not "
     "supported in this version"},
    {"UnknownMatchKey",
     {{10, "    match: {pth: /}"}},
     "10:13: match: unknown key 'pth'; did you mean 'path'?"},
    {"RelativePath",
     {{10, "    match: {path: ws}"}},
     "10:19: match.path: a path must start with '/'"},
    {"RestInTheMiddle",
     {{10, "    match: {path: /**/x}"}},
     "10:19: match.path: '**' can only be the last segment"},
    {"OneStar",
     {{10, "    match: {path: /ws/*}"}},
     "10:19: match.path: segment '*' must be plain text, {name} or a final **"},
    {"NameInPartOfASegment",
     {{10, "    match: {path: \"/ws/a{id}\"}"}},
     "10:19: match.path: segment 'a{id}' must be plain text, {name} or a final **"},
    {"NameOpen",
     {{10, "    match: {path: \"/ws/{id\"}"}},
     "10:19: match.path: segment '{id' must be plain text, {name} or a final **"},
    {"NameEmpty",
     {{10, "    match: {path: \"/ws/{}\"}"}},
     "10:19: match.path: segment '{}' must be plain text, {name} or a final **"},
    {"NameTwice",
     {{10, "    match: {path: \"/{id}/{id}\"}"}},
     "10:19: match.path: {id} is there twice"},
    {"PathWithQuery",
     {{10, "    match: {path: \"/ws?x=1\"}"}},
     "10:19: match.path: a path has no query or fragment"},
    {"PathWithEscape",
     {{10, "    match: {path: /caf%C3%A9}"}},
     "10:19: match.path: write the path decoded, without %-escapes"},
    {"HostWithPort",
     {{10, "    match: {host: \"a.example:80\"}"}},
     "10:19: match.host: expected a host without port or wildcard, found 'a.example:80'"},
    {"HostWithWildcard",
     {{10, "    match: {host: \"*.example\"}"}},
     "10:19: match.host: expected a host without port or wildcard, found '*.example'"},
    {"HeaderIsAWord",
     {{10, "    match: {header: x-a}"}},
     "10:21: match.header: expected keys and values, found 'x-a'"},
    {"HeaderWithASpace",
     {{10, "    match: {header: {x a: b}}"}},
     "10:22: match.header: 'x a' cannot be the name of a header"},
    {"HeaderTwiceInOtherCase",
     {{10, "    match: {header: {x-a: b, X-A: c}}"}},
     "10:30: match.header: 'X-A' is there twice"},
    {"HeaderIsNull",
     {{10, "    match: {header: {x-a: }}"}},
     "10:22: match.header.x-a: has no value"},
    {"SameRouteTwice",
     {{12, "  - {name: b, match: {path: \"/ws/{x}\"}, upstream: agent}"}},
     "12:5: routes: 'b' can never match: 'chat' before it takes all of its requests"},
    {"RouteBehindACatchAll",
     {{10, "    match: {path: /**}"}, {12, "  - {name: b, match: {path: /x}, upstream: agent}"}},
     "12:5: routes: 'b' can never match: 'chat' before it takes all of its requests"},
    {"RouteBehindAnEmptyMatch",
     {{10, "-"}, {12, "  - {name: b, match: {host: a}, upstream: agent}"}},
     "11:5: routes: 'b' can never match: 'chat' before it takes all of its requests"},
    {"RouteBehindAWiderHeader",
     {{10, "    match: {header: {X-A: \"\"}}"},
      {12, "  - {name: b, match: {header: {x-a: \"1\"}}, upstream: agent}"}},
     "12:5: routes: 'b' can never match: 'chat' before it takes all of its requests"},
};
INSTANTIATE_TEST_SUITE_P(Match, BadRouteTest, testing::ValuesIn(kMatchCases), NameOf);

BadCase Session(const std::string& name, const std::string& session, const std::string& expected) {
  return {name, {{12, "    session: {" + session + "}"}}, expected};
}

const BadCase kSessionCases[] = {
    Session("UnknownSessionKey", "settel: 5ms",
            "12:15: session: unknown key 'settel'; did you mean 'settle'?"),
    Session("KeyWithoutQuotes", "key: {path.id}",
            "12:20: session.key: expected one value, found keys and values; a text that begins "
            "with '{' needs quotes"),
    Session("KeyIsEmptyText", "key: \"\"",
            "12:20: session.key: is empty; leave it out to fence nobody"),
    Session("KeyIsEmptyList", "key: []", "12:20: session.key: the list is empty"),
    Session("KeyListHoldsAList", "key: [[a]]",
            "12:21: session.key: expected one value, found a list"),
    Session("KeyNamesNoPathName", "key: \"{path.idd}\"",
            "12:20: session.key: match.path has no {idd}; did you mean 'id'?"),
    Session("KeyOfUnknownSource", "key: \"{quary.x}\"",
            "12:20: session.key: unknown source 'quary' in {quary.x}; did you mean 'query'?"),
    Session("KeyOfJwt", "key: [\"{jwt.sub}\"]",
            "12:21: session.key: {jwt.sub} is not supported in this version"),
    Session("KeyWithoutName", "key: \"{path}\"",
            "12:20: session.key: {path} must name what it takes: {path.NAME}"),
    Session("KeyOfClientPort", "key: \"{client.port}\"",
            "12:20: session.key: unknown source {client.port}; did you mean {client.ip}?"),
    Session("KeyOfBadHeader", "key: \"{header.x y}\"",
            "12:20: session.key: 'x y' cannot be the name of a header"),
    Session("KeyWithOpenBrace", "key: \"a{path.id\"", "12:20: session.key: braces do not match"),
    Session("KeyWithStrayBrace", "key: \"a}b\"", "12:20: session.key: braces do not match"),
    Session("SecondAlternativeIsWrong", "key: [\"{path.id}\", \"{cookie.}\"]",
            "12:34: session.key: {cookie.} must name what it takes: {cookie.NAME}"),
    Session("UnknownConflict", "on_conflict: take-over",
            "12:28: session.on_conflict: expected takeover, reject or share, found 'take-over'; "
            "did you mean 'takeover'?"),
    Session("Park", "on_drop: park",
            "12:24: session.on_drop: 'park' is not supported in this version"),
    Session("UnknownDrop", "on_drop: finnish",
            "12:24: session.on_drop: expected finish or close, found 'finnish'; did you mean "
            "'finish'?"),
    Session("Early101", "early_101: true",
            "12:15: session: 'early_101' is not supported in this version"),
    Session("BarrierIsAWord", "barrier: /",
            "12:24: session.barrier: expected keys and values, found '/'"),
    Session("BarrierWithoutPath", "barrier: {}", "12:24: session.barrier: 'path' is missing"),
    Session("BarrierWithASpace", "barrier: {path: \"/a b\"}",
            "12:31: session.barrier.path: expected a request target such as /health, found '/a b'"),
    Session("MethodsAreAWord", "key: a, methods: POST",
            "12:32: session.methods: expected a list, found 'POST'"),
    Session("MethodsAreEmpty", "key: a, methods: ", "12:23: session.methods: has no value"),
    Session("MethodInLowerCase", "key: a, methods: [PUT, post]",
            "12:38: session.methods: 'post' must be in upper case; did you mean 'POST'?"),
    Session("MethodInMixedCase", "key: a, methods: [M-Search]",
            "12:33: session.methods: 'M-Search' must be in upper case; did you mean 'M-SEARCH'?"),
    Session("MethodIsNoToken", "key: a, methods: [\"PUT POST\"]",
            "12:33: session.methods: 'PUT POST' cannot be the name of a method"),
    Session("MethodIsEmptyText", "key: a, methods: [\"\"]",
            "12:33: session.methods: '' cannot be the name of a method"),
    Session("MethodIsAList", "key: a, methods: [[PUT]]",
            "12:33: session.methods: expected one value, found a list"),
    Session("MethodTwice", "key: a, methods: [PUT, POST, PUT]",
            "12:44: session.methods: 'PUT' is there twice"),
    Session("MethodConnect", "key: a, methods: [CONNECT]",
            "12:33: session.methods: 'CONNECT' is not supported"),
    Session("MethodConnectInLowerCase", "key: a, methods: [connect]",
            "12:33: session.methods: 'connect' is not supported"),
    Session("MethodsWithoutKey", "methods: [POST]",
            "12:24: session.methods: needs a session.key: without one nothing is fenced"),
    Session("MethodsWithoutKeyAndWrong", "methods: [post]",
            "12:24: session.methods: needs a session.key: without one nothing is fenced\n"
            "12:25: session.methods: 'post' must be in upper case; did you mean 'POST'?"),
    Session("MethodsBesideAWrongKey", "key: \"{path.x}\", methods: [POST]",
            "12:20: session.key: match.path has no {x}"),
    {"MethodsBesideAWrongMatch",
     {{10, "    match: {path: ws}"}, {12, "    session: {key: \"{path.id}\", methods: [POST]}"}},
     "10:19: match.path: a path must start with '/'"},
    Session("SettleTooLong", "settle: 61s",
            "12:23: session.settle: must be from 0 to 1m, found '61s'"),
    Session("CloseTimeoutZero", "close_timeout: 0s",
            "12:30: session.close_timeout: must be from 1ms to 10m, found '0s'"),
};
INSTANTIATE_TEST_SUITE_P(Session, BadRouteTest, testing::ValuesIn(kSessionCases), NameOf);

BadCase Turn(const std::string& name, const std::string& turn, const std::string& expected) {
  return {name, {{12, "    turn: {" + turn + "}"}}, expected};
}

const BadCase kTurnCases[] = {
    Turn("UnknownProfile", "profile: chesire-cat",
         "12:21: turn.profile: unknown profile 'chesire-cat'; did you mean 'cheshire-cat'?"),
    Turn("ProfileElsewhere", "profile: ../../etc/x",
         "12:21: turn.profile: unknown profile '../../etc/x'"),
    Turn("ProfileAndName", "profile: quiet, name: x",
         "12:34: turn.name: the profile has a name; leave one of the two out"),
    Turn("UnknownTurnKey", "quite: 2s", "12:12: turn: unknown key 'quite'; did you mean 'quiet'?"),
    Turn("UnknownEnd", "end: each_answer",
         "12:17: turn.end: expected quiet, each-answer or {json: POINTER, in: [WORD, ...]}, found "
         "'each_answer'"),
    Turn("EndIsAList", "end: [chat]", "12:17: turn.end: expected one value, found a list"),
    Turn("EndWithoutWords", "end: {json: /type}", "12:17: turn.end: 'in' is missing"),
    Turn("EndWithoutPointer", "end: {in: [a]}", "12:17: turn.end: 'json' is missing"),
    Turn("EndWithEmptyList", "end: {json: /type, in: []}", "12:35: turn.end.in: the list is empty"),
    Turn("EndWithOneWord", "end: {json: /type, in: chat}",
         "12:35: turn.end.in: expected a list, found 'chat'"),
    Turn("EndWordTwice", "end: {json: /type, in: [a, b, a]}",
         "12:42: turn.end.in: 'a' is there twice"),
    Turn("PointerWithoutSlash", "end: {json: type, in: [a]}",
         "12:24: turn.end.json: expected a JSON pointer such as /type, found 'type'"),
    Turn("PointerWithBadEscape", "end: {json: /a~2, in: [a]}",
         "12:24: turn.end.json: expected a JSON pointer such as /type, found '/a~2'"),
    Turn("QuietZero", "end: quiet, quiet: 0s",
         "12:31: turn.quiet: must be above 0 when only silence ends a turn"),
    Turn("MaxZero", "max: 0", "12:17: turn.max: must be from 1ms to 24h, found '0'"),
    Turn("WindowWithUnit", "window: 4s", "12:20: turn.window: expected a whole number, found '4s'"),
    Turn("UnknownAccept", "accept: json",
         "12:20: turn.accept: expected any or json-object, found 'json'"),
    {"TurnIsAWord",
     {{12, "    turn: quiet"}},
     "12:11: turn: expected keys and values, found 'quiet'"},
    {"HeartbeatOfNobody",
     {{12, "    heartbeat: {interval: 5s}"}},
     "12:17: heartbeat: unknown key 'interval'"},
    {"HeartbeatTimeoutZero",
     {{12, "    heartbeat: {client: {timeout: 0}}"}},
     "12:35: heartbeat.client.timeout: must be from 1ms to 1h, found '0'"},
    {"HeartbeatUnknownKey",
     {{12, "    heartbeat: {upstream: {intervall: 5s}}"}},
     "12:28: heartbeat.upstream: unknown key 'intervall'; did you mean 'interval'?"},
};
INSTANTIATE_TEST_SUITE_P(Turn, BadRouteTest, testing::ValuesIn(kTurnCases), NameOf);

}  // namespace
}  // namespace connguard
