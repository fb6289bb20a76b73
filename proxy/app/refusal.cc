// One answer, one line in the log, one way out.
#include "app/refusal.h"

#include <utility>
#include <vector>

#include "app/farewell.h"
#include "app/worker.h"
#include "http/message.h"
#include "log/log.h"

namespace connguard {

void TellOfRefusal(Worker& worker, int status, std::string_view why, std::string_view request_id,
                   const RefusalNote& note) {
  const std::string key = note.client_key.empty() ? std::string() : KeyHash(note.client_key);
  std::vector<LogField> fields{
      {"client", note.client}, {"route", note.route}, {"key", key},
      {"status", status},      {"why", why},          {"request_id", request_id},
      {"trace", note.trace}};
  if (!note.target.empty()) fields.push_back({"target", note.target});
  Log(LogLevel::kInfo, "refused", fields);
  if (!worker.feed().wanted()) return;
  AdminEvent event = EventNow(AdminEvent::Kind::kRefused);
  event.session.address = note.client;
  event.session.route = note.route;
  event.session.key = note.client_key;
  event.status = status;
  event.why = why;
  worker.feed().Publish(std::move(event));
}

void RefuseClient(Worker& worker, ClientLeg client, int status, std::string_view why,
                  const RefusalNote& note) {
  if (!client) return;
  const std::string id = worker.NewRequestId();
  TellOfRefusal(worker, status, why, id, note);
  std::string answer = ProblemResponse(status, why, id, note.retry_after);
  if (note.head_only) answer.resize(answer.find("\r\n\r\n") + 4);  // RFC 9110 §9.3.2
  SayFarewell(worker, std::move(client), answer);
}

}  // namespace connguard
