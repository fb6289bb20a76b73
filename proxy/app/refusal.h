// Refusals: answers of our own to requests that go no further.
#pragma once

#include <string_view>

#include "app/client.h"

namespace connguard {

class Worker;

// What clients are told, and how long they are asked to stay away.
inline constexpr int kRetryAfterSeconds = 5;
inline constexpr std::string_view kWhyOperator = "closed by the operator";
inline constexpr std::string_view kWhyStopping = "the guard is stopping";
inline constexpr std::string_view kWhyConflict = "another client of this session is alive";
inline constexpr std::string_view kWhySuperseded =
    "a newer client of this session took this one's place";
inline constexpr std::string_view kWhyWaited =
    "the previous session is still being finished (session.wait)";

// What a refusal says besides its status and its reason.
struct RefusalNote {
  std::string_view client = {};  // for the log, as are route, key and trace
  std::string_view route = {};
  std::string_view client_key = {};  // in the clear; logged as a hash
  std::string_view trace = {};
  std::string_view target = {};  // TargetForLog; empty: not logged
  bool head_only = false;        // the request's method is HEAD: an answer ends with its head
  int retry_after = 0;           // seconds; 0: not said
};

// Says in the log, and to who watches the guard's events, that somebody has been refused.
void TellOfRefusal(Worker& worker, int status, std::string_view why, std::string_view request_id,
                   const RefusalNote& note);

// Answers by a problem of our own, sees the client off, and says so in the log under the answer's
// request id. Does nothing when the client is gone.
void RefuseClient(Worker& worker, ClientLeg client, int status, std::string_view why,
                  const RefusalNote& note);

}  // namespace connguard
