#include "bench/handshake.h"

#include <strings.h>

namespace connguard::bench {

bool HasField(std::string_view head, std::string_view field) {
  const std::size_t name = field.find(':');
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    if (line.size() == field.size() && strncasecmp(line.data(), field.data(), name) == 0 &&
        line.substr(name) == field.substr(name)) {
      return true;
    }
    head.remove_prefix(line.size() == head.size() ? line.size() : line.size() + 2);
  }
  return false;
}

}  // namespace connguard::bench
