// Plain POSIX reads: an ifstream does not say why it failed, and opens directories.
#include "config/file_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace connguard {

Parsed<std::string> ReadFileText(const std::string& path) {
  const auto failed = [] {
    return Parsed<std::string>::Failed("cannot be read: " + std::generic_category().message(errno));
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failed();
  std::string text;
  std::array<char, 16384> block{};
  ssize_t got = 0;
  while (text.size() <= kLargestConfig) {
    got = read(descriptor, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  const Parsed<std::string> result = got < 0 ? failed() : Parsed<std::string>::Of(std::move(text));
  close(descriptor);
  return result;
}

}  // namespace connguard
