#include "auth/key_file.h"

#include <cerrno>
#include <fstream>
#include <optional>
#include <system_error>

#include "connguard/types.h"

namespace connguard {
namespace {

constexpr Bytes kLargestKeyFile = 1024 * 1024;

struct FileText {
  std::optional<std::string> value{};
  std::string error{};
};

FileText ReadText(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kLargestKeyFile + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad() || (file.fail() && !file.eof())) {
    const std::string why = std::generic_category().message(errno != 0 ? errno : EIO);
    return {.error = "cannot be read: " + why};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLargestKeyFile) return {.error = "is larger than 1 MiB"};
  return {.value = std::move(text)};
}

VerifyKeys ReadKeys(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return ReadJwks(text);
  if (text.find("-----BEGIN ") != std::string_view::npos) return ReadPemKeys(text);
  return {.error = "is neither PEM nor a JSON Web Key Set"};
}

}  // namespace

VerifyKeys ReadKeyFile(const std::string& path) {
  const FileText text = ReadText(path);
  VerifyKeys keys = text.value ? ReadKeys(*text.value) : VerifyKeys{.error = text.error};
  if (keys.error.empty() && keys.value.empty()) keys.error = "holds no key";
  if (keys.error.empty() && keys.value.size() > kMostKeys) {
    keys.error = "holds more than " + std::to_string(kMostKeys) + " keys";
  }
  if (!keys.error.empty()) return {.error = path + ": " + keys.error};
  return keys;
}

}  // namespace connguard
