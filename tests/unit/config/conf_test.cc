// conf/connguard.yaml is the manual of the configuration: it has to be complete, and right.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "cases.h"
#include "config/file_text.h"
#include "config/key_trace.h"
#include "config/reference.h"
#include "connguard/close_cause.h"

namespace connguard {
namespace {

// `text` with the keys that are off switched on: `#tls:` and what follows it in its column.
std::string SwitchedOn(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line); out += line + "\n") {
    const std::size_t mark = line.find_first_not_of(' ');
    if (mark == std::string::npos || line[mark] != '#') continue;
    const std::string_view rest = std::string_view(line).substr(mark + 1);
    const bool prose = rest.empty() || (rest.starts_with(' ') && !rest.starts_with("  "));
    // Stands beside another way to say the same.
    if (!prose && !rest.starts_with("token_file:")) line.erase(mark, 1);
  }
  return out;
}

// conf/connguard.yaml with all of it switched on, among the files that it names.
class ConfTest : public testing::Test {
 protected:
  ConfTest() : text_(*ReadFileText(CONNGUARD_CONF "/connguard.yaml").value) {
    for (const char* name :
         {"server.crt", "clients.crt", "agent-ca.crt", "guard.crt", "auth-ca.crt"}) {
      folder_.Write(std::string("tls/") + name, SomeCertificate());
    }
    for (const char* name : {"server.key", "guard.key"}) {
      folder_.Write(std::string("tls/") + name, ItsKey());
    }
    folder_.Write("tls/jwt.pem", SomePublicKeys());
  }

  LoadResult Load(const std::string& text, KeyTrace* trace = nullptr) const {
    const Environment variables = [](std::string_view name) -> std::optional<std::string> {
      if (name == "ADMIN_TOKEN") return "0123456789abcdef";
      if (name == "AGENT_URL") return "https://agent";
      return std::nullopt;
    };
    return LoadConfigTextTraced(text, folder_.path() / "connguard.yaml", variables, {}, trace);
  }

  std::string text_;

 private:
  Folder folder_;
};

// `text` without what stands in one of its lines; a list's item stays one.
std::string Without(const std::string& text, std::size_t number) {
  std::istringstream lines(text);
  std::string out;
  std::string line;
  for (std::size_t i = 1; std::getline(lines, line); ++i) {
    const std::size_t dash = line.find_first_not_of(' ');
    if (i == number) line.resize(line[dash] == '-' ? dash + 1 : 0);
    out += line + "\n";
  }
  return out;
}

// `routes[].session` → `routes.session`, as the loader calls it.
std::string WithoutBrackets(std::string path) {
  for (std::size_t at = 0; (at = path.find("[]")) != std::string::npos;) path.erase(at, 2);
  return path;
}

// conf/connguard.yaml promises every key. A section that is missing there is itself a key that the
// loader knows and the file does not use.
TEST_F(ConfTest, ConnguardYamlShowsEveryKeyThatTheLoaderKnows) {
  KeyTrace trace;
  const LoadResult result = Load(SwitchedOn(text_), &trace);
  EXPECT_TRUE(result.config) << Complaints(result);
  EXPECT_GT(trace.known.size(), 100U);
  // One excludes the other: in comments even then.
  for (const std::string key :
       {"admin.token_file", "routes.auth.jwt.secret", "routes.auth.jwt.secret_file"}) {
    trace.used.insert(key);
    EXPECT_NE(text_.find("#" + key.substr(key.rfind('.') + 1) + ": "), std::string::npos) << key;
  }
  for (const std::string& key : trace.known) {
    if (key.starts_with("routes.auth.forward.tls.")) continue;  // as upstreams[].tls
    EXPECT_TRUE(trace.used.contains(key)) << key;
  }
}

TEST_F(ConfTest, TheReferenceHasTheKeysOfTheLoaderAndNoOthers) {
  KeyTrace trace;
  Load(SwitchedOn(text_), &trace);
  std::set<std::string> told;
  for (const ReferenceKey& key : ReadReference(text_).keys) told.insert(WithoutBrackets(key.path));
  for (const std::string& key : trace.known) {
    if (key.starts_with("routes.auth.forward.tls.")) continue;  // as upstreams[].tls
    if (key.starts_with("routes.auth.jwt.from.")) continue;     // words of its values
    EXPECT_TRUE(told.contains(key)) << key;
  }
  for (const std::string& key : told) EXPECT_TRUE(trace.known.contains(key)) << key;
}

// The code of `word` where the configuration says nothing; -1: there is no such cause.
int DefaultCodeOf(std::string_view word) {
  for (std::size_t i = 0; i < kCloseCauses; ++i) {
    const CloseCauseRow& row = Describe(static_cast<CloseCause>(i));
    if (row.word == word) return static_cast<int>(row.to_client);
  }
  return -1;
}

TEST_F(ConfTest, EachValueThatIsToldToBeTheDefaultIsTheLoaders) {
  const std::string text = SwitchedOn(text_);
  const LoadResult whole = Load(text);
  ASSERT_TRUE(whole.config) << Complaints(whole);
  const std::string printed = PrintConfig(*whole.config);
  const std::string codes = "routes[].close_codes.";
  int checked = 0;
  for (const ReferenceKey& key : ReadReference(text_).keys) {
    if (!key.presets) continue;
    ++checked;
    if (key.path.starts_with(codes)) {  // what the file says of them is printed in any case
      EXPECT_EQ(std::to_string(DefaultCodeOf(key.path.substr(codes.size()))), key.value);
      continue;
    }
    const LoadResult result = Load(Without(text, key.line));
    ASSERT_TRUE(result.config) << key.path << ": " << Complaints(result);
    EXPECT_TRUE(PrintConfig(*result.config) == printed) << key.path;
  }
  EXPECT_GT(checked, 50);
}

TEST_F(ConfTest, WithoutAKeyThatIsToldToBeRequiredNothingLoads) {
  const std::string text = SwitchedOn(text_);
  int checked = 0;
  for (const ReferenceKey& key : ReadReference(text_).keys) {
    if (!key.required || key.value.empty()) continue;
    EXPECT_FALSE(Load(Without(text, key.line)).config) << key.path;
    ++checked;
  }
  EXPECT_GT(checked, 10);
}

TEST_F(ConfTest, EveryKeyIsExplained) {
  for (const ReferenceKey& key : ReadReference(text_).keys) {
    EXPECT_TRUE(key.value.empty() || !key.meaning.empty()) << key.path;
  }
}

}  // namespace
}  // namespace connguard
