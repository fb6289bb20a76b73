// The PROXY protocol, versions 1 and 2: who the client is, said by a load balancer before anything
// else (haproxy.org, doc/proxy-protocol.txt, of 2020-03-05).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "connguard/types.h"

namespace connguard {

// ProxyHeaderReader reads one header off the begin of a connection. Strict: one way to write each
// version, known families only, streams only. TLVs of version 2 are skipped.
//
// Pure; not thread-safe. Whether the peer may send one is for the caller to know.
class ProxyHeaderReader {
 public:
  // A version 1 header, line end included; a version 2 header, of which the specification would
  // allow 65,551 bytes.
  static constexpr Bytes kLongestText = 107;
  static constexpr Bytes kLongestBinary = 4096;

  enum class Status : std::uint8_t {
    kNeedMore,  // took all of the input
    kDone,      // the header is complete; what follows it was not taken
    kError,     // end the connection; `why` says what for
  };
  struct Result {
    Status status = Status::kNeedMore;
    Bytes taken = 0;  // of the input
    // kDone: the client's address, as inet_ntop writes it (v4-mapped ones as v4), or `unix`. None:
    // the balancer speaks for itself (LOCAL: its health check) or does not know (UNKNOWN, UNSPEC),
    // so that the socket's own peer counts.
    std::optional<std::string> address = {};
    std::string why = {};  // kError: a short sentence
  };

  // Not to be called again after kDone or kError.
  Result Feed(std::span<const std::uint8_t> in);

 private:
  Result Step();
  Result ReadText() const;
  Result ReadBinary() const;

  std::string header_;  // so far
};

}  // namespace connguard
