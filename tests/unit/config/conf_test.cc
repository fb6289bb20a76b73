// conf/connguard.yaml is the manual of the configuration: it has to be complete, and right.
#include <gtest/gtest.h>

#include <sstream>

#include "cases.h"
#include "config/file_text.h"
#include "config/key_trace.h"

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

// conf/connguard.yaml promises every key. A section that is missing there is itself a key that the
// loader knows and the file does not use.
TEST(ConfTest, ConnguardYamlShowsEveryKeyThatTheLoaderKnows) {
  const std::string text = *ReadFileText(CONNGUARD_CONF "/connguard.yaml").value;
  const Folder folder;
  for (const char* name :
       {"server.crt", "clients.crt", "agent-ca.crt", "guard.crt", "auth-ca.crt"}) {
    folder.Write(std::string("tls/") + name, SomeCertificate());
  }
  for (const char* name : {"server.key", "guard.key"}) {
    folder.Write(std::string("tls/") + name, ItsKey());
  }
  folder.Write("tls/jwt.pem", SomePublicKeys());
  const Environment variables = [](std::string_view name) -> std::optional<std::string> {
    if (name == "ADMIN_TOKEN") return "0123456789abcdef";
    if (name == "AGENT_URL") return "https://agent";
    return std::nullopt;
  };
  KeyTrace trace;
  const LoadResult result = LoadConfigTextTraced(SwitchedOn(text), folder.path() / "connguard.yaml",
                                                 variables, {}, &trace);
  EXPECT_TRUE(result.config) << Complaints(result);
  EXPECT_GT(trace.known.size(), 100U);
  // One excludes the other: in comments even then.
  for (const std::string key :
       {"admin.token_file", "routes.auth.jwt.secret", "routes.auth.jwt.secret_file"}) {
    trace.used.insert(key);
    EXPECT_NE(text.find("#" + key.substr(key.rfind('.') + 1) + ": "), std::string::npos) << key;
  }
  for (const std::string& key : trace.known) {
    if (key.starts_with("routes.auth.forward.tls.")) continue;  // as upstreams[].tls
    EXPECT_TRUE(trace.used.contains(key)) << key;
  }
}

}  // namespace
}  // namespace connguard
