// What the demo's agent remembers until it is restarted: sessions by user, and its log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

namespace connguard::demo {

// The session's view of a WebSocket.
class SessionSocket {
 public:
  virtual ~SessionSocket() = default;

  // True once either side has closed it, or it is lost.
  virtual bool closed() const = 0;

  // Starts the closing handshake (RFC 6455 §7.1.2) with `code`, unless closed().
  virtual void Close(std::uint16_t code) = 0;
};

struct LogLine {
  std::string user;
  std::string event;
};

// AgentMemory makes the mistake of the backends that connguard is for: a session's socket is only
// forgotten by a disconnect that was received, and a connect trips over a socket that is closed.
//
// Owned by the agent's thread; not thread-safe.
class AgentMemory {
 public:
  enum class Admission : std::uint8_t {
    kGranted,  // call Enter
    kStale,    // the session's old socket can't be closed, it is closed already: HTTP 500
    kFull,     // kMaxSessions: HTTP 503
  };

  // A connect of `user`: closes the old socket first.
  Admission Admit(const std::string& user);

  // The admitted socket becomes the session's.
  void Enter(const std::string& user, std::shared_ptr<SessionSocket> socket);

  // A disconnect was received. Ignored when the session has another socket by now.
  void Disconnect(const std::string& user, const SessionSocket& socket);

  // Forgets every session, closing the live ones with 1012.
  void Restart();

  void Log(const std::string& user, std::string event);
  const std::deque<LogLine>& log() const { return log_; }

  static constexpr std::size_t kMaxSessions = 1'000;
  static constexpr std::size_t kMaxLogLines = 200;

 private:
  std::map<std::string, std::shared_ptr<SessionSocket>> sessions_;
  std::deque<LogLine> log_;
};

}  // namespace connguard::demo
