// Holds the README to the program.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "admin/metrics.h"
#include "admin/metrics_page.h"
#include "cli/reference_page.h"

namespace connguard {
namespace {

std::string Readme() {
  std::ifstream file(CONNGUARD_README);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ReadmeTest, TheTableOfMetricsIsTheProgramsOwn) {
  EXPECT_NE(Readme().find(MetricsReference()), std::string::npos)
      << "README.md lacks this table:\n\n"
      << MetricsReference();
}

TEST(ReadmeTest, TheReferenceOfTheConfigurationIsTheProgramsOwn) {
  const std::string reference = "<!-- reference: held to the program by a test -->\n" +
                                ReferenceAsMarkdown(ConfigurationReference()) +
                                "<!-- /reference -->\n";
  EXPECT_NE(Readme().find(reference), std::string::npos) << "README.md lacks this:\n\n"
                                                         << reference;
}

// Who counts refusals finds each reason where the README says what it is for.
TEST(ReadmeTest, EveryResultOfAHandshakeIsAmongThoseWhoGetIn) {
  const std::string text = Readme();
  const std::size_t begin = text.find("## Who gets in\n");
  ASSERT_NE(begin, std::string::npos);
  const std::string section = text.substr(begin, text.find("\n## ", begin) - begin);
  for (const std::string_view word : kHandshakeResultWords) {
    EXPECT_NE(section.find("`" + std::string(word) + "`"), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace connguard
