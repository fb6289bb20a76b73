// Client: the client's leg as it travels from session to session.
#pragma once

#include <memory>
#include <string>

#include "app/presence.h"
#include "net/conn.h"

namespace connguard {

// `conn` is null when the client is gone.
struct Client {
  std::unique_ptr<Presence> presence;  // outlives the connection
  std::unique_ptr<Conn> conn;
  std::string ip;

  explicit operator bool() const { return conn != nullptr; }
  void Drop() {
    conn.reset();
    presence.reset();
  }
};

}  // namespace connguard
