#include "cli/roff.h"

#include <cstdint>
#include <cstdio>

namespace connguard {
namespace {

// The length of the UTF-8 sequence that begins with `c`; `code` gets its first bits.
std::size_t Begin(unsigned char c, std::uint32_t& code) {
  if (c < 0xE0) return code = c & 0x1FU, 2;
  if (c < 0xF0) return code = c & 0x0FU, 3;
  return code = c & 0x07U, 4;
}

// \[uXXXX]: a page in ASCII is right in every locale.
void AppendCodePoint(std::string_view text, std::size_t& i, std::string& out) {
  std::uint32_t code = 0;
  const std::size_t size = Begin(static_cast<unsigned char>(text[i]), code);
  for (std::size_t k = 1; k < size && i + 1 < text.size(); ++k) {
    code = code << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU);
  }
  char name[16];
  std::snprintf(name, sizeof name, "\\[u%04X]", static_cast<unsigned>(code));
  out += name;
}

// What stands for `c` where roff, or a terminal's typography, would make something else of it.
std::string_view Escaped(char c) {
  switch (c) {
    case '\\':
      return "\\(rs";
    case '-':
      return "\\-";  // a minus, as it is typed
    case '\'':
      return "\\(aq";
    case '"':
      return "\\(dq";  // in an argument of a macro it would end it
    case '`':
      return "\\(ga";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    default:
      return {};
  }
}

std::string InFont(char font, std::string_view text) {
  return std::string("\\f") + font + RoffText(text) + "\\fR";
}

}  // namespace

std::string RoffText(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (const std::string_view escaped = Escaped(c); !escaped.empty()) {
      out += escaped;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      AppendCodePoint(text, i, out);
    } else {
      const bool line_begins = i == 0 || text[i - 1] == '\n';
      if (c == '.' && line_begins) out += "\\&";
      out += c;
    }
  }
  return out;
}

std::string RoffBold(std::string_view text) { return InFont('B', text); }
std::string RoffItalic(std::string_view text) { return InFont('I', text); }

std::string RoffProse(std::string_view text) {
  std::string out;
  bool code = false;
  while (true) {
    const std::size_t end = text.find('`');
    const std::string_view piece = text.substr(0, end);
    if (!piece.empty()) out += code ? RoffBold(piece) : RoffText(piece);
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
    code = !code;
  }
}

RoffPage::RoffPage(std::string_view title, int section, std::string_view date,
                   std::string_view origin, std::string_view volume) {
  text_ = ".TH \"" + RoffText(title) + "\" " + std::to_string(section) + " \"" + std::string(date) +
          "\" \"" + RoffText(origin) + "\" \"" + RoffText(volume) + "\"\n";
  text_ += ".nh\n.ad l\n";  // words that are to be typed must not be broken
}

void RoffPage::Macro(std::string_view name, std::string_view argument) {
  text_.append(".").append(name).append(" \"").append(RoffText(argument)).append("\"\n");
}

void RoffPage::Section(std::string_view title) { Macro("SH", title); }
void RoffPage::Subsection(std::string_view title) { Macro("SS", title); }

void RoffPage::Paragraph(std::string_view roff) {
  text_ += ".PP\n";
  Line(roff);
}

void RoffPage::Line(std::string_view roff) { text_.append(roff).append("\n"); }
void RoffPage::Break() { text_ += ".br\n"; }

void RoffPage::Entry(std::string_view head_roff, std::string_view roff) {
  text_ += ".TP\n";
  Line(head_roff);
  Line(roff);
}

void RoffPage::Example(std::string_view text) {
  text_ += ".PP\n.RS 4\n.nf\n";
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  text_ += RoffText(text) + "\n.fi\n.RE\n";
}

}  // namespace connguard
