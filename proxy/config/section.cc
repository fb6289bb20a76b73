// The getters, and the verdict on keys that nobody asked for.
#include "config/section.h"

#include <algorithm>
#include <map>

#include "config/later_keys.h"
#include "config/scalars.h"
#include "config/suggest.h"

namespace connguard {
namespace {

constexpr std::size_t kLongestName = 64;

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// "a, b or c".
std::string Choice(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string FormatCount(std::uint64_t count) { return std::to_string(count); }

}  // namespace

Section::Section(Reader& reader, Value value, std::string path, std::string label)
    : reader_(reader),
      value_(std::move(value)),
      path_(std::move(path)),
      label_(std::move(label)),
      ok_(value_.node.IsMap()),
      entries_(reader.Entries(value_, label_)) {}

std::string Section::LabelOf(std::string_view key) const {
  return label_.empty() ? std::string(key) : label_ + "." + std::string(key);
}

std::string Section::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void Section::Error(const std::string& message) {
  reader_.Error(value_.mark, label_.empty() ? message : label_ + ": " + message);
}

void Section::Error(const Value& value, std::string_view key, const std::string& message) {
  reader_.Error(value.mark, LabelOf(key) + ": " + message);
}

std::optional<Value> Section::Find(std::string_view key) {
  known_.emplace_back(key);
  KeyTrace* trace = reader_.trace();
  if (trace != nullptr) trace->known.insert(PathOf(key));
  const auto found =
      std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.key.Scalar() == key; });
  if (found == entries_.end()) return std::nullopt;
  if (trace != nullptr) trace->used.insert(PathOf(key));
  return found->value;
}

std::optional<Value> Section::Require(std::string_view key) {
  std::optional<Value> value = Find(key);
  if (!value && ok_) Error(Quoted(key) + " is missing");
  return value;
}

bool Section::ReadText(std::string_view key, std::string& out) {
  const std::optional<Value> value = Find(key);
  if (!value) return false;
  std::optional<std::string> text = reader_.Text(*value, LabelOf(key));
  if (!text) return false;
  out = *std::move(text);
  return true;
}

bool Section::ReadBool(std::string_view key, bool& out) { return ReadWord(key, out, kBools); }

bool Section::ReadName(std::string_view key, std::string& out) {
  const std::optional<Value> value = Require(key);
  if (!value) return false;
  std::optional<std::string> text = reader_.Text(*value, LabelOf(key));
  if (!text) return false;
  if (!IsName(*text)) {
    Error(*value, key,
          "a name is 1 to 64 letters, digits, '_', '-' and '.', found " + Quoted(*text));
    return false;
  }
  out = *std::move(text);
  return true;
}

template <typename T>
bool Section::ReadQuantity(std::string_view key, T& out, const Range<T>& range,
                           Parsed<T> (*parse)(std::string_view), std::string (*format)(T)) {
  const std::optional<Value> value = Find(key);
  if (!value) return false;
  const std::optional<std::string> text = reader_.Text(*value, LabelOf(key));
  if (!text) return false;
  Parsed<T> parsed = parse(*text);
  if (parsed && (*parsed.value < range.least || *parsed.value > range.most)) {
    parsed.error = "must be from " + format(range.least) + " to " + format(range.most) +
                   ", found " + Quoted(*text);
  }
  if (!parsed.error.empty()) {
    Error(*value, key, parsed.error);
    return false;
  }
  out = *parsed.value;
  return true;
}

bool Section::ReadDuration(std::string_view key, Millis& out, Range<Millis> range) {
  return ReadQuantity(key, out, range, ParseDuration, FormatDuration);
}

bool Section::ReadSize(std::string_view key, Bytes& out, Range<Bytes> range) {
  return ReadQuantity(key, out, range, ParseSize, FormatSize);
}

bool Section::ReadCount(std::string_view key, std::uint64_t& out, Range<std::uint64_t> range) {
  return ReadQuantity(key, out, range, ParseCount, FormatCount);
}

std::optional<std::size_t> Section::Choose(const Value& value, std::string_view key,
                                           const std::vector<std::string>& words) {
  const std::optional<std::string> text = reader_.Text(value, LabelOf(key));
  if (!text) return std::nullopt;
  const auto found = std::ranges::find(words, *text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  if (IsLaterKey(PathOf(key), *text)) {
    Error(value, key, Quoted(*text) + " is not supported in this version");
  } else {
    Error(value, key,
          "expected " + Choice(words) + ", found " + Quoted(*text) + DidYouMean(*text, words));
  }
  return std::nullopt;
}

std::optional<Section> Section::Sub(std::string_view key, std::string label) {
  std::optional<Value> value = Find(key);
  if (!value) return std::nullopt;
  return Section(reader_, *std::move(value), PathOf(key), std::move(label));
}

std::string Section::UnknownKey(const std::string& key) const {
  if (key == "<<") return "merge keys (<<) are not supported; an alias (*name) of a whole value is";
  if (IsLaterKey(path_, key)) return Quoted(key) + " is not supported in this version";
  return "unknown key " + Quoted(key) + DidYouMean(key, known_);
}

void Section::Finish() {
  std::map<std::string, int> first_line;
  for (const Entry& entry : entries_) {
    const std::string& key = entry.key.Scalar();
    const std::string prefix = label_.empty() ? label_ : label_ + ": ";
    const YAML::Mark mark = entry.key.Mark();
    const auto [place, fresh] = first_line.try_emplace(key, mark.line + 1);
    if (!fresh) {
      reader_.Error(mark, prefix + Quoted(key) + " is there twice, first in line " +
                              std::to_string(place->second));
    } else if (std::ranges::find(known_, key) == known_.end()) {
      reader_.Error(mark, prefix + UnknownKey(key));
    }
  }
}

}  // namespace connguard
