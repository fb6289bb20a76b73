// What came of a reload.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace connguard {

struct ReloadOutcome {
  enum class Kind : std::uint8_t {
    kApplied,
    kUnchanged,  // the file says what is in force already
    kRejected,   // `errors` says why; nothing has changed
    kNoFile,     // the guard runs from flags
  };
  Kind kind = Kind::kNoFile;
  std::uint64_t generation = 0;           // of the configuration that is in force now
  std::vector<std::string> live = {};     // `routes.chat: session.settle: 100ms -> 50ms`
  std::vector<std::string> restart = {};  // changed in the file, but in force only after a restart
  std::vector<std::string> errors = {};   // `file:line:column: error: …`
};

}  // namespace connguard
