// The page's files as they were compiled in.
#include "demo/assets.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace connguard::demo {
namespace {

TEST(AssetsTest, EveryFileIsThereToItsLastByte) {
  for (const char* name : {"index.html", "demo.css", "demo.js", "favicon.svg"}) {
    const auto file = FindAsset(name);
    ASSERT_TRUE(file) << name;
    EXPECT_TRUE(file->ends_with('\n')) << name;
    EXPECT_EQ(file->find('\0'), std::string_view::npos) << name;
  }
  EXPECT_TRUE(FindAsset("index.html")->starts_with("<!doctype html>"));
  EXPECT_TRUE(FindAsset("index.html")->ends_with("</html>\n"));
  EXPECT_FALSE(FindAsset("embed.cmake"));
  EXPECT_FALSE(FindAsset(""));
}

TEST(AssetsTest, ThePageRefersToNothingOutsideAndHasNoInlineCode) {
  const std::string page(*FindAsset("index.html"));
  const std::regex foreign(R"((src|href)="(https?:)?//|<style|style=|\son[a-z]+=|<script>)");
  EXPECT_FALSE(std::regex_search(page, foreign));
  for (const char* name : {"demo.css", "demo.js"}) {
    const std::string text(*FindAsset(name));
    EXPECT_EQ(text.find("http://"), std::string::npos) << name;
    EXPECT_EQ(text.find("https://"), std::string::npos) << name;
    EXPECT_EQ(text.find("@import"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace connguard::demo
