// Which keys, defaults and words are read out of a commented configuration.
#include "config/reference.h"

#include <gtest/gtest.h>

#include <ostream>

namespace connguard {

bool operator==(const ReferenceKey& a, const ReferenceKey& b) {
  return a.path == b.path && a.value == b.value && a.required == b.required &&
         a.presets == b.presets && a.preset == b.preset && a.meaning == b.meaning &&
         a.line == b.line;
}

void PrintTo(const ReferenceKey& key, std::ostream* out) {
  *out << key.line << ": " << key.path << " = '" << key.value << "' required " << key.required
       << " presets " << key.presets << " preset '" << key.preset << "' meaning '" << key.meaning
       << "'";
}

namespace {

using Keys = std::vector<ReferenceKey>;

Keys KeysOf(std::string_view text) { return ReadReference(text).keys; }

// The only key of `text`.
ReferenceKey KeyOf(std::string_view text) {
  const Keys keys = KeysOf(text);
  EXPECT_EQ(keys.size(), 1U);
  return keys.empty() ? ReferenceKey{} : keys.front();
}

TEST(ReferenceTest, AValueIsTheDefaultWhereNothingElseIsSaid) {
  EXPECT_EQ(KeyOf("settle: 50ms\n"), (ReferenceKey{"settle", "50ms", false, true, "50ms", "", 1}));
  EXPECT_EQ(KeyOf("settle: 50ms   # from the end on\n"),
            (ReferenceKey{"settle", "50ms", false, true, "50ms", "From the end on.", 1}));
}

TEST(ReferenceTest, ACommentSaysWhatTheDefaultIs) {
  EXPECT_EQ(KeyOf("ca: a.crt  # PEM; default: the system's\n"),
            (ReferenceKey{"ca", "a.crt", false, false, "the system's", "PEM.", 1}));
  EXPECT_EQ(KeyOf("# Whose it is. Default: none, not\n# fenced.\nkey: x\n"),
            (ReferenceKey{"key", "x", false, false, "none, not fenced", "Whose it is.", 3}));
  EXPECT_EQ(KeyOf("ca: a.crt  # default: any\n"),
            (ReferenceKey{"ca", "a.crt", false, false, "any", "", 1}));
  EXPECT_TRUE(KeyOf("a: 1  # nodefault: x\n").presets);
}

TEST(ReferenceTest, ACommentSaysThatAKeyIsRequired) {
  EXPECT_EQ(KeyOf("version: 1   # required\n"),
            (ReferenceKey{"version", "1", true, false, "", "", 1}));
  EXPECT_EQ(KeyOf("# Required: host:port.\nbind: a:1\n"),
            (ReferenceKey{"bind", "a:1", true, false, "", "host:port.", 2}));
  EXPECT_EQ(KeyOf("name: a  # required; for logs\n"),
            (ReferenceKey{"name", "a", true, false, "", "For logs.", 1}));
  EXPECT_EQ(KeyOf("a: 1  # required in `b` only\n"),
            (ReferenceKey{"a", "1", true, false, "", "Required in `b` only.", 1}));
  EXPECT_FALSE(KeyOf("a: 1  # requiredness\n").required);
}

TEST(ReferenceTest, PathsNameSectionsAndLists) {
  const Keys keys = KeysOf(
      "routes:\n"
      "  - name: chat\n"
      "    session:\n"
      "      wait: 60s\n"
      "    upstream: a\n"
      "limits:\n"
      "  buffer: 1KiB\n"
      "workers: auto\n");
  std::vector<std::string> paths;
  for (const ReferenceKey& key : keys) paths.push_back(key.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"routes", "routes[].name", "routes[].session",
                                             "routes[].session.wait", "routes[].upstream", "limits",
                                             "limits.buffer", "workers"}));
}

TEST(ReferenceTest, WhatIsOffIsReadAsIfItWereOnAndIsNotThereByDefault) {
  const Keys keys = KeysOf(
      "a:\n"
      "  # TLS.\n"
      "  #tls:\n"
      "  #  # One or\n"
      "  #  # two.\n"
      "  #  version: 1  # or 2\n"
      "  #  # Secret.\n"
      "  #  #secret: x\n"
      "  b: 1\n");
  const Keys expected{{"a", "", false, false, "", "", 1},
                      {"a.tls", "", false, false, "none", "TLS.", 3},
                      {"a.tls.version", "1", false, true, "1", "One or two. Or 2.", 6},
                      {"a.tls.secret", "x", false, false, "none", "Secret.", 8},
                      {"a.b", "1", false, true, "1", "", 9}};
  EXPECT_EQ(keys, expected);
}

TEST(ReferenceTest, ACommentBesideAKeyGoesOnBelowIt) {
  const Keys keys = KeysOf(
      "delay: 0      # serving;\n"
      "              # then. Default: never\n"
      "# Else.\n"
      "drain: 30s\n");
  EXPECT_EQ(keys.front(), (ReferenceKey{"delay", "0", false, false, "never", "serving; then.", 1}));
  EXPECT_EQ(keys.back().meaning, "Else.");
}

TEST(ReferenceTest, AKeyThatComesAgainAddsToItsMeaning) {
  const Keys keys = KeysOf(
      "routes:\n"
      "  - name: a  # for logs\n"
      "    key: x   # whose it is\n"
      "  # An example.\n"
      "  - name: b\n"
      "    # Or a list.\n"
      "    key: [y]\n");
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[1].meaning, "For logs.");
  EXPECT_EQ(keys[2],
            (ReferenceKey{"routes[].key", "x", false, true, "x", "Whose it is. Or a list.", 3}));
}

TEST(ReferenceTest, WhatALaterItemAddsToASectionStandsWithTheSection) {
  const Keys keys = KeysOf(
      "routes:\n"
      "  - match:\n"
      "      path: a\n"
      "    up: b\n"
      "  - match:\n"
      "      host: c\n"
      "      end:\n"
      "        in: d\n"
      "    down: e\n"
      "workers: 1\n");
  std::vector<std::string> paths;
  for (const ReferenceKey& key : keys) paths.push_back(key.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"routes", "routes[].match", "routes[].match.path",
                                             "routes[].match.host", "routes[].match.end",
                                             "routes[].match.end.in", "routes[].up",
                                             "routes[].down", "workers"}));
}

TEST(ReferenceTest, TheFirstCommentIsTheIntroduction) {
  const Reference reference =
      ReadReference("# One\n# two.\n#\n# Three.\n\n# Of the file.\n\na: 1\n");
  EXPECT_EQ(reference.introduction, (std::vector<std::string>{"One two.", "Three."}));
  EXPECT_EQ(reference.keys, (Keys{{"a", "1", false, true, "1", "", 8}}));
  EXPECT_TRUE(ReadReference("a: 1\n\n# Late.\n\nb: 1\n").introduction.empty());
}

TEST(ReferenceTest, AHashInQuotesOrInAWordIsNoComment) {
  EXPECT_EQ(KeyOf("key: \"a # b\"  # c\n"),
            (ReferenceKey{"key", "\"a # b\"", false, true, "\"a # b\"", "c.", 1}));
  EXPECT_EQ(KeyOf("key: a#b\n").value, "a#b");
}

TEST(ReferenceTest, WordsThatStandForThemselvesKeepTheirCase) {
  EXPECT_EQ(KeyOf("a: json  # json, text\n").meaning, "json, text.");
  EXPECT_EQ(KeyOf("a: b  # true: yes\n").meaning, "true: yes.");
  EXPECT_EQ(KeyOf("a: b  # is it so?\n").meaning, "Is it so?");
}

TEST(ReferenceTest, WhatIsNoKeyIsPassedOver) {
  EXPECT_TRUE(ReadReference("").keys.empty());
  EXPECT_TRUE(KeysOf("- {name: a}\n\"quoted key\": 1\njust text\n").empty());
}

}  // namespace
}  // namespace connguard
