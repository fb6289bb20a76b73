// Unavailable: why a source cannot tell now.
#pragma once

#include <stdexcept>

namespace connguard {

// Thrown by AdminServer::Sources; answered by 503 with its text, a sentence for the operator.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace connguard
