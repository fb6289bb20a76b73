// Holds the README to the program.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "admin/metrics_page.h"

namespace connguard {
namespace {

TEST(ReadmeTest, TheTableOfMetricsIsTheProgramsOwn) {
  std::ifstream file(CONNGUARD_README);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(MetricsReference()), std::string::npos)
      << "README.md lacks this table:\n\n"
      << MetricsReference();
}

}  // namespace
}  // namespace connguard
