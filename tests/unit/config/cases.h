// Configurations that differ from a sound one in a line or two, and what the loader says to them.
#pragma once

#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "config/load.h"

namespace connguard {

// Line 1 is `version`; 12 and later are free. See cases.cc.
extern const std::vector<std::string> kSoundLines;

struct BadCase {
  std::string name;                  // of the test
  std::map<int, std::string> lines;  // what stands in these lines instead; "-" drops one
  std::string expected;              // `line:column: message`, one per line
};
void PrintTo(const BadCase& bad, std::ostream* out);

std::string TextOf(const BadCase& bad);

// As BadCase::expected.
std::string Complaints(const LoadResult& result);

// A folder of its own, gone afterwards.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // A file that only its owner can read. Returns its path.
  std::string Write(const std::string& name, const std::string& text) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A certificate and its key, in PEM; and certificates whose keys are of RSA and of P-256.
const std::string& SomeCertificate();
const std::string& ItsKey();
const std::string& SomePublicKeys();

// Those of `folder`, and what they say of it without its path: `'DIR/tls.key'`.
LoadResult LoadIn(const Folder& folder, const BadCase& bad);
std::string ComplaintsIn(const Folder& folder, const LoadResult& result);

// Variables: SET=value, EMPTY=, TWO_LINES, LATIN1, and a few more; see cases.cc.
Environment TestEnvironment();

}  // namespace connguard
