// Files that a configuration names: where they are, and whether they may be used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/section.h"

namespace connguard {

enum class FileKind : std::uint8_t {
  kPublic,  // certificates, public keys
  kSecret,  // private keys, secrets, tokens
};

// NamedFiles reads the names of files and looks at the files: what is missing is reported where it
// is named. Files block. `Section`'s rules hold: true when `out` is set, an absent key is no error.
class NamedFiles {
 public:
  // Names are relative to the folder of `config_file`. `readable_keys`: secrets may be open to
  // everybody on the machine.
  NamedFiles(const std::string& config_file, bool readable_keys);

  // `out` becomes an absolute path.
  bool ReadPath(Section& section, std::string_view key, FileKind kind, std::string& out) const;

  // `out` becomes what the file holds, without line ends behind it.
  bool ReadSecret(Section& section, std::string_view key, std::string& out) const;

 private:
  std::string folder_;
  bool readable_keys_;
};

// Why a file of secrets must not be used: others than its owner and group can read it. Empty: fine,
// or not to be told (who opens it will tell).
std::string WhyExposedFile(const std::string& path);

}  // namespace connguard
