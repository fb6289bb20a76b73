// What the demo's agent remembers until it is restarted: sessions by user, and its log.
#include "demo/memory.h"

#include <utility>

namespace connguard::demo {
namespace {

constexpr std::uint16_t kNormal = 1000;
constexpr std::uint16_t kServiceRestart = 1012;

}  // namespace

AgentMemory::Admission AgentMemory::Admit(const std::string& user) {
  const auto session = sessions_.find(user);
  if (session == sessions_.end()) {
    return sessions_.size() < kMaxSessions ? Admission::kGranted : Admission::kFull;
  }
  if (session->second->closed()) return Admission::kStale;
  session->second->Close(kNormal);
  return Admission::kGranted;
}

void AgentMemory::Enter(const std::string& user, std::shared_ptr<SessionSocket> socket) {
  sessions_[user] = std::move(socket);
  Log(user, "connected");
}

void AgentMemory::Disconnect(const std::string& user, const SessionSocket& socket) {
  const auto session = sessions_.find(user);
  if (session == sessions_.end() || session->second.get() != &socket) return;
  sessions_.erase(session);
  Log(user, "disconnected, session released");
}

void AgentMemory::Restart() {
  const auto sessions = std::exchange(sessions_, {});
  log_.clear();
  for (const auto& [user, socket] : sessions) {
    if (!socket->closed()) socket->Close(kServiceRestart);
  }
}

void AgentMemory::Log(const std::string& user, std::string event) {
  if (log_.size() == kMaxLogLines) log_.pop_front();
  log_.push_back({user, std::move(event)});
}

}  // namespace connguard::demo
