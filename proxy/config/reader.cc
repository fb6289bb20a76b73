// yaml-cpp's quirks are met here: marks from 0, lost marks, repeated keys, endless documents.
#include "config/reader.h"

#include <yaml-cpp/depthguard.h>

#include <algorithm>
#include <utility>

#include "config/expand.h"
#include "config/utf8.h"

namespace connguard {
namespace {

// A list in a configuration is written by hand or by a template; thousands of entries are a
// mistake, and aliases could multiply them.
constexpr std::size_t kLongestList = 1024;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view Noun(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      return "keys and values";
    case YAML::NodeType::Sequence:
      return "a list";
    default:
      return "one value";
  }
}

std::string Expected(std::string_view wanted, const YAML::Node& node) {
  if (node.IsNull()) return "has no value";
  const std::string found =
      node.IsScalar() && !node.Scalar().empty() ? Quoted(node.Scalar()) : std::string(Noun(node));
  // `key: {path.id}` is a mapping to YAML, and a template to who wrote it.
  const bool unquoted = node.IsMap() && node.Style() == YAML::EmitterStyle::Flow;
  return "expected " + std::string(wanted) + ", found " + found +
         (unquoted ? "; a text that begins with '{' needs quotes" : "");
}

Value Child(const YAML::Node& node, const YAML::Node& stand_in) {
  return {node, node.IsNull() ? stand_in.Mark() : node.Mark()};
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::string Prefix(const std::string& label) { return label.empty() ? label : label + ": "; }

}  // namespace

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Reader::Reader(std::string file, const std::string& text, const Environment& env,
               std::vector<Diagnostic>& diagnostics, KeyTrace* trace)
    : file_(std::move(file)), text_(text), env_(env), diagnostics_(diagnostics), trace_(trace) {}

void Reader::Error(const YAML::Mark& mark, const std::string& message) {
  diagnostics_.push_back({file_, mark.line + 1, mark.column + 1, message});
}

void Reader::ErrorAt(std::size_t offset, const std::string& message) {
  const std::string_view before = std::string_view(text_).substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  diagnostics_.push_back({file_, static_cast<int>(std::ranges::count(before, '\n')) + 1,
                          static_cast<int>(offset - line_start) + 1, message});
}

bool Reader::CheckBytes() {
  if (const std::size_t nul = text_.find('\0'); nul != std::string::npos) {
    ErrorAt(nul, "NUL byte: this is no YAML text");
    return false;
  }
  // yaml-cpp would put U+FFFD in its place, and two different keys could become one.
  if (const std::size_t bad = FirstInvalidUtf8(text_); bad != std::string::npos) {
    ErrorAt(bad, "not UTF-8");
    return false;
  }
  return true;
}

std::optional<Value> Reader::Parse() {
  if (!CheckBytes()) return std::nullopt;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text_);
    if (documents.empty() || documents.front().IsNull()) {
      diagnostics_.push_back({file_, 1, 1, "nothing is configured here"});
      return std::nullopt;
    }
    if (documents.size() > 1) {
      Error(documents[1].Mark(), "a second document; only one is read");
      return std::nullopt;
    }
    return Value{documents.front(), documents.front().Mark()};
  } catch (const YAML::DeepRecursion& error) {
    Error(error.mark, "nested too deeply");
  } catch (const YAML::Exception& error) {
    Error(error.mark, "not YAML: " + error.msg);
  }
  return std::nullopt;
}

std::optional<std::string> Reader::Text(const Value& value, const std::string& label) {
  if (!value.node.IsScalar()) {
    Error(value.mark, label + ": " + Expected("one value", value.node));
    return std::nullopt;
  }
  Expanded expanded = Expand(value.node.Scalar(), env_);
  if (!expanded.error.empty()) {
    // Mark.pos counts from behind a byte order mark.
    const std::size_t skipped = text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    const std::size_t place =
        text_.find(expanded.error_at, skipped + static_cast<std::size_t>(value.mark.pos));
    const std::string message = label + ": " + expanded.error;
    if (place == std::string::npos) {
      Error(value.mark, message);  // the scalar's escapes hide it
    } else {
      ErrorAt(place, message);
    }
    return std::nullopt;
  }
  if (std::ranges::any_of(expanded.text, IsControl)) {
    Error(value.mark, label + ": has a control character (a line break?) in it");
    return std::nullopt;
  }
  if (FirstInvalidUtf8(expanded.text) != std::string::npos) {
    Error(value.mark, label + ": the variable's value is not UTF-8");
    return std::nullopt;
  }
  return std::move(expanded.text);
}

std::vector<Value> Reader::Items(const Value& value, const std::string& label) {
  if (value.node.IsSequence() && value.node.size() == 0) {
    Error(value.mark, label + ": the list is empty");
  }
  return ItemsOrNone(value, label);
}

std::vector<Value> Reader::ItemsOrNone(const Value& value, const std::string& label) {
  std::vector<Value> items;
  if (!value.node.IsSequence()) {
    Error(value.mark, label + ": " + Expected("a list", value.node));
  } else if (value.node.size() > kLongestList) {
    Error(value.mark, label + ": has more than " + std::to_string(kLongestList) + " entries");
  } else {
    for (const YAML::Node& node : value.node) items.push_back(Child(node, value.node));
  }
  return items;
}

std::vector<Entry> Reader::Entries(const Value& value, const std::string& label) {
  std::vector<Entry> entries;
  if (!value.node.IsMap()) {
    Error(value.mark, Prefix(label) + Expected("keys and values", value.node));
    return entries;
  }
  for (const auto& pair : value.node) {
    if (pair.first.IsScalar()) {
      entries.push_back({pair.first, Child(pair.second, pair.first)});
    } else {
      Error(pair.first.IsNull() ? value.mark : pair.first.Mark(),
            Prefix(label) + "a key must be a plain word");
    }
  }
  return entries;
}

}  // namespace connguard
