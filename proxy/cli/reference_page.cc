#include "cli/reference_page.h"

#include <string_view>

#include "config/conf_files.h"

namespace connguard {
namespace {

// Text of a Markdown table's cell: `code` stays as it is, the rest is taken at its word.
std::string Cell(std::string_view text) {
  std::string cell;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    const bool special = c == '|' || (!code && (c == '*' || c == '<' || c == '\\' || c == '$'));
    if (special) cell += '\\';
    cell += c;
  }
  return cell;
}

std::string Code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string PresetOf(const ReferenceKey& key) {
  if (key.required) return "*required*";
  if (key.preset.empty()) return "";
  return key.presets ? Code(key.preset) : key.preset;
}

}  // namespace

Reference ConfigurationReference() {
  return ReadReference(FindConfFile("connguard.yaml").value_or(""));
}

bool IsWorthTelling(const ReferenceKey& key) {
  return key.required || !key.value.empty() || !key.meaning.empty();
}

std::string ReferenceAsMarkdown(const Reference& reference) {
  std::string text;
  for (const std::string& paragraph : reference.introduction) text += Cell(paragraph) + "\n\n";
  text += "| Key | Default | Meaning |\n|---|---|---|\n";
  for (const ReferenceKey& key : reference.keys) {
    if (!IsWorthTelling(key)) continue;
    const std::string preset = key.required ? PresetOf(key) : Cell(PresetOf(key));
    text += "| " + Code(key.path) + " | " + preset + " | " + Cell(key.meaning);
    if (!key.presets && !key.value.empty()) {
      text += (key.meaning.empty() ? "Example: " : " Example: ") + Cell(Code(key.value)) + ".";
    }
    text += " |\n";
  }
  return text;
}

}  // namespace connguard
