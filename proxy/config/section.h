// Section: one mapping of the configuration, read key by key, strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/parsed.h"
#include "config/reader.h"
#include "config/words.h"

namespace connguard {

template <typename T>
struct Range {
  T least;
  T most;
};

// Section hands out the values of the keys that its owner asks for; what nobody asked for by the
// time of Finish() is an unknown key. The getters report and leave `out` alone when a value is
// wrong, and return true when they set it; an absent key is no error.
class Section {
 public:
  // `path` is the key's full name (`routes.session`), for the trace and the keys of later versions;
  // `label` is how messages call it (`session`), empty for the file itself.
  Section(Reader& reader, Value value, std::string path, std::string label);

  // False when it is no mapping, which has been reported.
  bool ok() const { return ok_; }

  std::optional<Value> Find(std::string_view key);
  // As Find, but an absent key is reported.
  std::optional<Value> Require(std::string_view key);

  bool ReadText(std::string_view key, std::string& out);
  // true or false, and none of YAML's other words for them.
  bool ReadBool(std::string_view key, bool& out);
  // A name for logs and metrics: letters, digits, `_`, `-`, `.`; at most 64. Required.
  bool ReadName(std::string_view key, std::string& out);
  bool ReadDuration(std::string_view key, Millis& out, Range<Millis> range);
  bool ReadSize(std::string_view key, Bytes& out, Range<Bytes> range);
  bool ReadCount(std::string_view key, std::uint64_t& out, Range<std::uint64_t> range);

  // `words`: a table of Word<T>.
  template <typename T, typename Words>
  bool ReadWord(std::string_view key, T& out, const Words& words) {
    const std::optional<Value> value = Find(key);
    const std::optional<T> word = value ? WordOf<T>(*value, key, words) : std::nullopt;
    if (word) out = *word;
    return word.has_value();
  }

  // The word that is `value`, the value of `key` or an item in it; what is none is reported.
  template <typename T, typename Words>
  std::optional<T> WordOf(const Value& value, std::string_view key, const Words& words) {
    std::vector<std::string> texts;
    for (const Word<T>& word : words) texts.emplace_back(word.text);
    const std::optional<std::size_t> index = Choose(value, key, texts);
    return index ? std::optional<T>(words[*index].value) : std::nullopt;
  }

  // A section inside; its keys are only known while it is there.
  std::optional<Section> Sub(std::string_view key, std::string label);

  // Reports at the place of the section, or of a value in it.
  void Error(const std::string& message);
  void Error(const Value& value, std::string_view key, const std::string& message);

  // Reports the keys that nobody asked for and those that are there twice.
  void Finish();

  Reader& reader() { return reader_; }
  const YAML::Mark& mark() const { return value_.mark; }
  std::string LabelOf(std::string_view key) const;
  std::string PathOf(std::string_view key) const;

 private:
  template <typename T>
  bool ReadQuantity(std::string_view key, T& out, const Range<T>& range,
                    Parsed<T> (*parse)(std::string_view), std::string (*format)(T));
  std::optional<std::size_t> Choose(const Value& value, std::string_view key,
                                    const std::vector<std::string>& words);
  std::string UnknownKey(const std::string& key) const;

  Reader& reader_;
  Value value_;
  std::string path_;
  std::string label_;
  bool ok_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_;
};

}  // namespace connguard
