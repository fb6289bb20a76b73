// Admission: what a request has to show before it gets a session, and its way into one.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "admin/metrics.h"
#include "app/client.h"
#include "app/generation.h"
#include "config/route_match.h"
#include "http/message.h"

namespace connguard {

class Worker;

struct Rejection {
  int status = 403;
  std::string why{};
  HandshakeResult result = HandshakeResult::kForbidden;
};

// A request on its way from its head to its session.
struct Newcomer {
  std::shared_ptr<const Generation> generation;
  Client client;
  Matched matched;  // of `generation`
  RequestReader request;
  std::span<const std::uint8_t> rest;  // what came behind the head
  bool upgrade = false;                // it asks for a WebSocket
};

// routes[].origins, routes[].auth.jwt, routes[].auth.forward, session: as far as it gets. Its
// client is there.
void Receive(Worker& worker, Newcomer newcomer);

// By its result where it asks for a WebSocket, else by the status of its answer.
void CountRefusal(RouteMetrics& metrics, const RequestHead& head, int status,
                  HandshakeResult result);
// Answers with `rejection`, and counts and logs it.
void Reject(Worker& worker, Newcomer newcomer, const Rejection& rejection);
// Gives it the session that it asks for. Its client is there.
void Enter(Worker& worker, Newcomer newcomer);

}  // namespace connguard
