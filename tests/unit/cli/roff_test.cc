// What roff would take for its own is taken at its word.
#include "cli/roff.h"

#include <gtest/gtest.h>

namespace connguard {
namespace {

TEST(RoffTest, WhatRoffWouldInterpretIsEscaped) {
  EXPECT_EQ(RoffText("plain"), "plain");
  EXPECT_EQ(RoffText(R"(a\b)"), R"(a\(rsb)");
  EXPECT_EQ(RoffText("--config"), R"(\-\-config)");
  EXPECT_EQ(RoffText(".TH x"), R"(\&.TH x)");
  EXPECT_EQ(RoffText("a\n.b"), "a\n\\&.b");
  EXPECT_EQ(RoffText("1.5"), "1.5");
  EXPECT_EQ(RoffText("'x"), R"(\(aqx)");
  EXPECT_EQ(RoffText("\"x\""), R"(\(dqx\(dq)");
  EXPECT_EQ(RoffText("`^~"), R"(\(ga\(ha\(ti)");
}

TEST(RoffTest, CharactersBeyondAsciiAreNamed) {
  EXPECT_EQ(RoffText("a\xE2\x80\x93z"), R"(a\[u2013]z)");
  EXPECT_EQ(RoffText("\xC3\xA9"), R"(\[u00E9])");
  EXPECT_EQ(RoffText("\xF0\x9F\x98\x80"), R"(\[u1F600])");
  EXPECT_EQ(RoffText("\xE2"), R"(\[u0002])");  // cut off: no harm
}

TEST(RoffTest, BackticksMakeBold) {
  EXPECT_EQ(RoffProse("say `run -c` or `x`."), R"(say \fBrun \-c\fR or \fBx\fR\&.)");
  EXPECT_EQ(RoffProse("`.x`"), R"(\fB\&.x\fR)");
  EXPECT_EQ(RoffProse(""), "");
}

TEST(RoffTest, APageIsMacrosAndText) {
  RoffPage page("A-B", 5, "2026-01-31", "a \"1\"", "Files");
  page.Section("NAME");
  page.Line("a");
  page.Paragraph("b");
  page.Break();
  page.Entry(RoffBold("-x"), "c");
  page.Example("k: 1\n.x\n\n");
  EXPECT_EQ(page.text(),
            ".TH \"A\\-B\" 5 \"2026-01-31\" \"a \\(dq1\\(dq\" \"Files\"\n"
            ".nh\n.ad l\n"
            ".SH \"NAME\"\na\n"
            ".PP\nb\n.br\n"
            ".TP\n\\fB\\-x\\fR\nc\n"
            ".PP\n.RS 4\n.nf\nk: 1\n\\&.x\n.fi\n.RE\n");
}

}  // namespace
}  // namespace connguard
