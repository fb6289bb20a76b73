// Hand-over: an old process stops listening on an address where a new one does already, and nobody
// who connects meanwhile is refused or reset. Needs no privilege.
//
// TCP sockets that listen on one address with SO_REUSEPORT are a group, in the order in which they
// began to listen; when one is closed, the last takes its place. Whoever has connected to a socket
// that is closed before he was accepted, or whose handshake is under way, is reset. So first nobody
// new may come to the old sockets, then what has come is accepted, and only then they are closed.
//
// The old process' sockets must be the oldest of the group: one hand-over at a time.
// proxy/docs/decisions/0014-listener-hand-over.md has the reasons and figures.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "net/socket.h"

namespace connguard {

// How many sockets besides `own`, which all listen on one address, listen there. 0 for unix
// sockets, and where the kernel does not say.
std::size_t OthersListening(std::span<const int> own);

// From here on who connects comes to one of the `others`. False: the kernel refuses.
bool SteerToOthers(std::span<const int> own, std::size_t others);

// Closes sockets that nobody has come to for a while since SteerToOthers. Who is steered to one of
// them all the same, in the microseconds that this takes, has to knock again and comes to an other.
// `own`: as for SteerToOthers; those of them that are not to be closed yet may still be open, and
// those that are closed already do no harm. `after_each`: called when one more is closed.
void CloseSteered(std::vector<Fd> closing, std::span<const int> own,
                  const std::function<void()>& after_each = {});

// Forgets what an earlier hand-over has left: who connects comes to any socket of the group.
void StopSteering(int listener);

}  // namespace connguard
