// Looks at files as the process itself will: by opening them.
#include "config/file_access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "config/file_text.h"

namespace connguard {
namespace {

// Nothing is read: a pipe can be read only once.
std::string WhyUnreadable(const std::string& path) {
  const auto because = [](int number) {
    return "cannot be read: " + std::generic_category().message(number);
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return because(errno);
  struct stat status{};
  const bool folder = fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
  close(descriptor);
  return folder ? because(EISDIR) : std::string();
}

}  // namespace

NamedFiles::NamedFiles(const std::string& config_file, bool readable_keys)
    : folder_(std::filesystem::absolute(config_file).parent_path()),
      readable_keys_(readable_keys) {}

bool NamedFiles::ReadPath(Section& section, std::string_view key, FileKind kind,
                          std::string& out) const {
  std::string name;
  if (!section.ReadText(key, name)) return false;
  const auto fail = [&](const std::string& why) {
    section.Error(*section.Find(key), key, why);
    return false;
  };
  if (name.empty()) return fail("is empty");
  const std::string path = (std::filesystem::path(folder_) / name).lexically_normal();
  if (const std::string why = WhyUnreadable(path); !why.empty()) {
    return fail(Quoted(path) + " " + why);
  }
  const bool private_only = kind == FileKind::kSecret && !readable_keys_;
  if (const std::string why = private_only ? WhyExposedFile(path) : ""; !why.empty()) {
    return fail(why);
  }
  out = path;
  return true;
}

bool NamedFiles::ReadSecret(Section& section, std::string_view key, std::string& out) const {
  std::string path;
  if (!ReadPath(section, key, FileKind::kSecret, path)) return false;
  Parsed<std::string> text = ReadFileText(path);
  if (!text) {
    section.Error(*section.Find(key), key, Quoted(path) + " " + text.error);
    return false;
  }
  while (text.value->ends_with('\n') || text.value->ends_with('\r')) text.value->pop_back();
  out = *std::move(text.value);
  return true;
}

std::string WhyExposedFile(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) return {};
  return Quoted(path) +
         " can be read by everybody on this machine; take that away (chmod o-r), or "
         "say `readable_keys: true` where others cannot get at it";
}

}  // namespace connguard
