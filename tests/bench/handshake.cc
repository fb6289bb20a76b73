#include "bench/handshake.h"

#include <algorithm>

#include "bench/ascii.h"

namespace connguard::bench {

bool HasField(std::string_view head, std::string_view field) {
  const std::size_t name = field.find(':');
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    if (EqualsIgnoringCase(line.substr(0, name), field.substr(0, name)) &&
        line.substr(std::min(name, line.size())) == field.substr(name)) {
      return true;
    }
    head.remove_prefix(line.size() == head.size() ? line.size() : line.size() + 2);
  }
  return false;
}

}  // namespace connguard::bench
