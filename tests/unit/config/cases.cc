// The sound configuration that every case starts from.
#include "cases.h"

#include <fstream>

#include "support/test_certificates.h"

namespace connguard {

const std::vector<std::string> kSoundLines{
    /*  1 */ "version: 1",
    /*  2 */ "listeners:",
    /*  3 */ "  - name: public",
    /*  4 */ "    bind: 127.0.0.1:8080",
    /*  5 */ "upstreams:",
    /*  6 */ "  - name: agent",
    /*  7 */ "    url: http://127.0.0.1:1865",
    /*  8 */ "routes:",
    /*  9 */ "  - name: chat",
    /* 10 */ "    match: {path: \"/ws/{id}\"}",
    /* 11 */ "    upstream: agent",
};

void PrintTo(const BadCase& bad, std::ostream* out) { *out << bad.name; }

std::string TextOf(const BadCase& bad) {
  std::map<int, std::string> lines;
  for (std::size_t i = 0; i < kSoundLines.size(); ++i) {
    lines[static_cast<int>(i) + 1] = kSoundLines[i];
  }
  for (const auto& [number, line] : bad.lines) lines[number] = line;
  std::string text;
  for (const auto& [number, line] : lines) {
    if (line != "-") text += line + "\n";
  }
  return text;
}

std::string Complaints(const LoadResult& result) {
  std::string text;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    text += (text.empty() ? "" : "\n") + std::to_string(diagnostic.line) + ":" +
            std::to_string(diagnostic.column) + ": " + diagnostic.message;
  }
  return text;
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "connguard-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

std::string Folder::Write(const std::string& name, const std::string& text) const {
  using std::filesystem::perms;
  const std::filesystem::path file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
  std::filesystem::permissions(file, perms::owner_read | perms::owner_write);
  return file;
}

LoadResult LoadIn(const Folder& folder, const BadCase& bad) {
  return LoadConfigText(TextOf(bad), folder.path() / "x.yaml", TestEnvironment(), {});
}

std::string ComplaintsIn(const Folder& folder, const LoadResult& result) {
  const std::string path = folder.path().string();
  std::string text = Complaints(result);
  for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path)) {
    text.replace(at, path.size(), "DIR");
  }
  return text;
}

Environment TestEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    static const std::map<std::string, std::string, std::less<>> variables{
        {"SET", "value"}, {"EMPTY", ""},        {"TWO_LINES", "a\nb"},     {"LATIN1", "caf\xE9"},
        {"PORT", "9999"}, {"NESTED", "${SET}"}, {"YAML", "x, other: [y]"}, {"DOLLAR", "a$$b"},
    };
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

namespace {

const testing::TestCertificate& Certificate() {
  static const testing::TestCertificate certificate = testing::TestAuthority();
  return certificate;
}

}  // namespace

const std::string& SomeCertificate() {
  static const std::string pem = Certificate().pem();
  return pem;
}

const std::string& ItsKey() {
  static const std::string pem = Certificate().key_pem();
  return pem;
}

const std::string& SomePublicKeys() {
  static const std::string pem =
      testing::TestCertificate({.key = testing::KeyKind::kRsa2048}).pem() + SomeCertificate();
  return pem;
}

}  // namespace connguard
