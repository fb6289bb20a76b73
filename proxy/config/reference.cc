// Line by line: yaml-cpp keeps no comments.
#include "config/reference.h"

#include <algorithm>
#include <utility>

namespace connguard {
namespace {

constexpr auto kNone = std::string_view::npos;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

std::string_view Trimmed(std::string_view text, std::string_view what = " ") {
  const std::size_t begin = text.find_first_not_of(what);
  if (begin == kNone) return {};
  return text.substr(begin, text.find_last_not_of(what) - begin + 1);
}

// What one comment says.
struct Remark {
  bool required = false;
  std::string preset;
  std::string meaning;
};

// A word that stands for itself, such as `json` in "json, text", keeps its case.
std::string Sentence(std::string_view text) {
  std::string sentence(text);
  const std::size_t end = sentence.find_first_not_of("abcdefghijklmnopqrstuvwxyz");
  if (end != std::string::npos && end > 0 && sentence[end] == ' ') {
    sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
  }
  if (!sentence.empty() && std::string_view(".?!").find(sentence.back()) == kNone) sentence += '.';
  return sentence;
}

Remark ReadRemark(std::string_view text) {
  constexpr std::string_view kRequired = "equired";
  constexpr std::string_view kDefault = "efault: ";
  Remark remark;
  if (text.substr(0, 1).find_first_of("Rr") == 0 && text.substr(1).starts_with(kRequired)) {
    const std::string_view rest = text.substr(1 + kRequired.size());
    remark.required = rest.empty() || !IsLower(rest.front());
    if (rest.empty() || std::string_view(",;:.").find(rest.front()) != kNone) {
      text = Trimmed(rest, " ,;:.").empty() ? std::string_view() : Trimmed(rest.substr(1));
    }
  }
  if (const std::size_t at = text.rfind(kDefault); at != kNone && at > 0) {
    const bool word = std::string_view("Dd").find(text[at - 1]) != kNone;
    if (word && (at == 1 || text[at - 2] == ' ')) {
      remark.preset = Trimmed(text.substr(at + kDefault.size()), " .");
      text = Trimmed(text.substr(0, at - 1), " ;,");
    }
  }
  remark.meaning = Sentence(text);
  return remark;
}

void AppendSentences(std::string& text, const std::string& more) {
  if (!text.empty() && !more.empty()) text += ' ';
  text += more;
}

// Where the comment behind a value begins; its end when there is none.
std::size_t FindComment(std::string_view rest) {
  char quote = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#' && (i == 0 || rest[i - 1] == ' ')) {
      return i;
    }
  }
  return rest.size();
}

struct Line {
  std::string text = {};    // as if what is off were on
  std::size_t column = 0;   // of its first character
  bool begins_off = false;  // `#key:` itself
  bool is_comment = false;  // nothing else
};

Line ReadLine(std::string_view raw) {
  Line line{.text = std::string(raw)};
  for (;;) {
    line.column = line.text.find_first_not_of(' ');
    if (line.column == kNone) return line;
    const std::string_view here = std::string_view(line.text).substr(line.column);
    if (here.front() != '#') return line;
    const std::string_view rest = here.substr(1);
    if (rest.empty() || (rest.front() == ' ' && !rest.starts_with("  "))) {
      line.is_comment = true;
      return line;
    }
    line.begins_off = rest.front() != ' ';
    line.text.erase(line.column, 1);
  }
}

class ReferenceReader {
 public:
  void Take(std::string_view raw) {
    ++number_;
    const Line line = ReadLine(raw);
    if (line.column == kNone) {
      EndComment();
    } else if (line.is_comment) {
      TakeComment(line);
    } else {
      TakeKey(line);
    }
  }

  Reference Finish() { return std::move(reference_); }

 private:
  struct Level {
    std::size_t column;
    std::string name;
    std::size_t items = 0;  // of a list
  };

  void EndComment() {
    if (!pending_.empty() && !introduced_) reference_.introduction = pending_;
    introduced_ = introduced_ || !pending_.empty();
    pending_.clear();
    beside_ = kNone;
  }

  void TakeComment(const Line& line) {
    const std::string_view text = Trimmed(std::string_view(line.text).substr(line.column + 1));
    if (line.column == beside_) {  // goes on with what stands beside the key above
      AddRemark(beside_text_.append(" ").append(text));
      return;
    }
    beside_ = kNone;
    if (pending_.empty() || text.empty()) pending_.emplace_back();
    std::string& paragraph = pending_.back();
    if (!paragraph.empty()) paragraph += ' ';
    paragraph += text;
  }

  void TakeKey(const Line& line) {
    std::string_view text = std::string_view(line.text).substr(line.column);
    std::size_t column = line.column;
    const bool item = text.starts_with("- ");
    if (item) {
      column += 2;
      text.remove_prefix(2);
    }
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    introduced_ = true;
    beside_ = kNone;
    if (colon == kNone || name.find_first_of(" {[\"'") != kNone) return pending_.clear();
    while (!levels_.empty() && levels_.back().column >= column) levels_.pop_back();
    if (item && !levels_.empty() && ++levels_.back().items > 1) pending_.clear();
    levels_.push_back({column, std::string(name)});
    const std::string_view rest = text.substr(colon + 1);
    const std::size_t comment = FindComment(rest);
    OpenKey(line.begins_off, Trimmed(rest.substr(0, comment)));
    beside_ = comment == rest.size() ? kNone : column + colon + 1 + comment;
    beside_text_ = Trimmed(rest.substr(comment), "# ");
    AddRemark(beside_text_);
  }

  std::string Path() const {
    std::string path;
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      if (i > 0) path += levels_[i - 1].items > 0 ? "[]." : ".";
      path += levels_[i].name;
    }
    return path;
  }

  // Behind what is in the same section already; at first right behind the section's own key.
  std::vector<ReferenceKey>::iterator PlaceOf(const std::string& path) {
    std::vector<ReferenceKey>& keys = reference_.keys;
    const std::string section = path.substr(0, path.rfind('.') + 1);
    const std::string_view name = Trimmed(section, "[].");
    const auto last = std::find_if(keys.rbegin(), keys.rend(), [&](const ReferenceKey& key) {
      return key.path.starts_with(section) || key.path == name;
    });
    return last == keys.rend() ? keys.end() : last.base();
  }

  // Makes `current_` the key's entry, with what stands above it.
  void OpenKey(bool begins_off, std::string_view value) {
    std::vector<ReferenceKey>& keys = reference_.keys;
    const std::string path = Path();
    const auto known = std::ranges::find(keys, path, &ReferenceKey::path);
    current_ = static_cast<std::size_t>(known - keys.begin());
    if (known == keys.end()) {
      const auto place = PlaceOf(path);
      current_ = static_cast<std::size_t>(place - keys.begin());
      ReferenceKey& key = *keys.insert(place, ReferenceKey{.path = path});
      key.value = value;
      key.line = number_;
      key.presets = !begins_off && !value.empty();
      if (begins_off) key.preset = "none";
      if (key.presets) key.preset = value;
    }
    std::string text;
    for (const std::string& paragraph : std::exchange(pending_, {})) {
      if (!text.empty()) text += ' ';
      text += paragraph;
    }
    before_ = keys[current_];
    AddRemark(text);
    before_ = keys[current_];
  }

  // Adds `text` to the key as it was before the comment that it is of.
  void AddRemark(std::string_view text) {
    ReferenceKey& key = reference_.keys[current_];
    key = before_;
    if (text.empty()) return;
    const Remark remark = ReadRemark(text);
    AppendSentences(key.meaning, remark.meaning);
    key.required = key.required || remark.required;
    if (!remark.preset.empty()) key.preset = remark.preset;
    if (key.required) key.preset.clear();
    key.presets = key.presets && !key.required && remark.preset.empty();
  }

  Reference reference_;
  std::vector<Level> levels_;
  std::vector<std::string> pending_;  // paragraphs of the comment that is open
  bool introduced_ = false;
  std::size_t number_ = 0;
  std::size_t current_ = 0;
  ReferenceKey before_;
  std::size_t beside_ = kNone;  // where the comment beside the last key begins
  std::string beside_text_;
};

}  // namespace

Reference ReadReference(std::string_view text) {
  ReferenceReader reader;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.Take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.Finish();
}

}  // namespace connguard
