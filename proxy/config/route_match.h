// Which route a request takes, and whose session it is about. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/jwt.h"
#include "connguard/config.h"
#include "http/message.h"

namespace connguard {

struct Matched {
  const RouteConfig* route = nullptr;                           // lives in the Config
  std::vector<std::pair<std::string, std::string>> path_names;  // {name} and what stood there
  // Of its admission: claims of a token that was believed, and headers that go upstream, of the
  // client's certificate and of the auth URL.
  std::optional<JwtClaims> claims{};
  std::vector<AddedField> added_headers{};
};

// The first route that matches; nullopt: answer 404.
//
// The path is percent-decoded as a whole and then cut at its slashes, as ASGI servers do (uvicorn's
// scope["path"]): `/ws%2Fann` is `/ws/ann`, so an escape does not lead around a fence. Nothing is
// normalised: dot segments, empty segments and a trailing slash are compared as they are, so
// `/ws/{id}` matches neither `/ws/` nor `/a/../ws/x`.
std::optional<Matched> MatchRoute(const Config& config, const RequestHead& head);

// The fence's key: the upstream's name, NUL, and the first alternative of `session.key` whose parts
// are all there and not empty. Two routes to one upstream share a fence where their keys agree.
// Empty when there is none: the request is not fenced. `matched` is MatchRoute's, for the same
// head. A header that only the guard may set is the one that goes upstream, never the client's own.
std::string SessionKey(const Config& config, const Matched& matched, const RequestHead& head,
                       std::string_view client_ip);

}  // namespace connguard
