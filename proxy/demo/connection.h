// One TCP connection of the demo's agent, until it becomes a WebSocket.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>

#include "demo/memory.h"

namespace connguard::demo {

struct AgentPort {
  std::uint16_t number = 0;
};

// Held by each open connection, so that they can be counted.
using OpenConnection = std::shared_ptr<const AgentPort>;

// Answers the requests (HTTP/1.1, RFC 9112) that come on `socket` and hands it on to AgentSocket
// when one is a WebSocket handshake of an admitted user. Runs on the socket's executor; `memory`
// outlives it.
void Serve(boost::asio::ip::tcp::socket socket, AgentMemory& memory, OpenConnection open);

}  // namespace connguard::demo
