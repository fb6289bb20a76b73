// `worker:number`, in decimal.
#include "app/session_name.h"

#include <charconv>
#include <system_error>

namespace connguard {

std::string NameOf(const Ticket& session) {
  return std::to_string(session.worker) + ":" + std::to_string(session.connection);
}

std::optional<Ticket> ParseSessionName(std::string_view name) {
  Ticket session;
  const char* const begin = name.data();
  const char* const end = begin + name.size();
  const auto [colon, worker_error] = std::from_chars(begin, end, session.worker);
  if (worker_error != std::errc() || colon == end || *colon != ':') return std::nullopt;
  const auto [rest, number_error] = std::from_chars(colon + 1, end, session.connection);
  if (number_error != std::errc() || rest != end) return std::nullopt;
  return session;
}

}  // namespace connguard
