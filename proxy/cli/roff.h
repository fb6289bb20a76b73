// A page of the manual in roff, with the macros of man(7), as both groff and mandoc read them.
#pragma once

#include <string>
#include <string_view>

namespace connguard {

// `text` as roff prints it letter by letter: a backslash, a hyphen or a point at the begin of a
// line is no more than that.
std::string RoffText(std::string_view text);

// Likewise, with what stands in `backticks` in bold.
std::string RoffProse(std::string_view text);

std::string RoffBold(std::string_view text);
std::string RoffItalic(std::string_view text);

// What takes `roff` wants text that is escaped already; all else is taken at its word.
class RoffPage {
 public:
  // `title` in capitals, `date` as 2026-01-31, `origin` as "connguard 0.1.0".
  RoffPage(std::string_view title, int section, std::string_view date, std::string_view origin,
           std::string_view volume);

  void Section(std::string_view title);
  void Subsection(std::string_view title);
  void Paragraph(std::string_view roff);  // not right behind a title: Line
  void Line(std::string_view roff);
  void Break();  // the next Line begins a line of its own
  // What is explained, and the explanation, indented.
  void Entry(std::string_view head_roff, std::string_view roff);
  void Example(std::string_view text);  // line by line as it is

  const std::string& text() const { return text_; }

 private:
  void Macro(std::string_view name, std::string_view argument);

  std::string text_;
};

}  // namespace connguard
