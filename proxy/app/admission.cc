// Origin, token, session.
#include "app/admission.h"

#include <chrono>
#include <utility>

#include "app/auth_request.h"
#include "app/http_session.h"
#include "app/refusal.h"
#include "app/websocket_session.h"
#include "app/worker.h"
#include "auth/token_source.h"
#include "http/origin.h"
#include "http/query_edit.h"

namespace connguard {

namespace {

// Origin and token, whose claims go into `matched`. nullopt: admitted.
std::optional<Rejection> CheckRequest(const Generation& generation, Matched& matched,
                                      const RequestHead& head) {
  const RouteConfig& route = *matched.route;
  if (!OriginAllowed(route.origins, head)) {
    return Rejection{403, "routes[].origins does not name this Origin", HandshakeResult::kOrigin};
  }
  if (route.lift) {
    const QueryEdit edit = EditQuery(head.target, route);
    if (edit.refusal) {
      return Rejection{edit.refusal->status, edit.refusal->why, HandshakeResult::kBadRequest};
    }
  }
  const JwtVerifier* const verifier = generation.VerifierOf(route);
  if (verifier == nullptr) return std::nullopt;
  const std::optional<std::string> token = FindToken(route.auth->jwt->places, head);
  if (!token) return Rejection{401, "a token is needed", HandshakeResult::kUnauthorized};
  JwtVerdict verdict = verifier->Verify(*token, std::chrono::system_clock::now());
  if (!verdict.claims) return Rejection{401, verdict.why, HandshakeResult::kUnauthorized};
  matched.claims = std::move(verdict.claims);
  return std::nullopt;
}

}  // namespace

void Receive(Worker& worker, Newcomer newcomer) {
  newcomer.matched.added_headers = CertificateFields(*newcomer.generation->config, newcomer.client);
  const auto rejection =
      CheckRequest(*newcomer.generation, newcomer.matched, newcomer.request.head());
  const std::optional<AuthConfig>& auth = newcomer.matched.route->auth;
  if (rejection) {
    Reject(worker, std::move(newcomer), *rejection);
  } else if (auth && auth->forward) {
    worker.Admit(std::make_unique<AuthRequest>(worker, std::move(newcomer)));
  } else {
    Enter(worker, std::move(newcomer));
  }
}

void CountRefusal(RouteMetrics& metrics, const RequestHead& head, int status,
                  HandshakeResult result) {
  if (IsWebSocketUpgrade(head)) {
    metrics.handshakes[result].Add();
  } else {
    metrics.http_requests[ClassOf(status)].Add();
  }
}

void Reject(Worker& worker, Newcomer newcomer, const Rejection& rejection) {
  const RequestHead& head = newcomer.request.head();
  const RouteConfig& route = *newcomer.matched.route;
  CountRefusal(newcomer.generation->MetricsOf(route), head, rejection.status, rejection.result);
  const std::string address = AddressOf(*newcomer.generation->config, newcomer.client, head);
  const TraceContext trace = TraceContext::Of(head.fields);
  const std::string target = TargetForLog(*newcomer.generation->config, head);
  RefuseClient(worker, std::move(newcomer.client), rejection.status, rejection.why,
               {.client = address,
                .route = route.name,
                .trace = trace.id(),
                .target = target,
                .head_only = head.method == "HEAD",
                .retry_after = rejection.status == 503 ? kRetryAfterSeconds : 0});
}

void Enter(Worker& worker, Newcomer newcomer) {
  if (newcomer.upgrade) {
    worker.Admit(std::make_unique<WebSocketSession>(worker, std::move(newcomer.generation),
                                                    std::move(newcomer.client), newcomer.matched,
                                                    newcomer.request.head(), newcomer.rest));
  } else {
    worker.Admit(std::make_unique<HttpSession>(worker, std::move(newcomer.generation),
                                               std::move(newcomer.client), newcomer.matched,
                                               std::move(newcomer.request), newcomer.rest));
  }
}

}  // namespace connguard
