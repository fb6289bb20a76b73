// The keys of a turn: the same inline and in a profile's file.
#include "config/load_turn.h"

#include <algorithm>

#include "config/profiles.h"
#include "config/suggest.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

constexpr Millis kDefaultQuiet = 2s;
constexpr std::string_view kDefaultProfile = "quiet";

// RFC 6901 §3; the whole document ("") is no place for a word.
bool IsPointer(std::string_view text) {
  if (!text.starts_with('/')) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') continue;
    if (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')) return false;
  }
  return true;
}

void ReadMatcher(Section& end, TurnProfile& profile) {
  end.Require("json");
  if (end.ReadText("json", profile.end_pointer) && !IsPointer(profile.end_pointer)) {
    end.Error(*end.Find("json"), "json",
              "expected a JSON pointer such as /type, found " + Quoted(profile.end_pointer));
  }
  if (const std::optional<Value> in = end.Require("in")) {
    for (const Value& item : end.reader().Items(*in, end.LabelOf("in"))) {
      std::optional<std::string> text = end.reader().Text(item, end.LabelOf("in"));
      if (!text) continue;
      if (std::ranges::find(profile.end_values, *text) != profile.end_values.end()) {
        end.Error(item, "in", Quoted(*text) + " is there twice");
      }
      profile.end_values.push_back(*std::move(text));
    }
  }
  end.Finish();
}

void ReadEnd(Section& turn, TurnProfile& profile) {
  const std::optional<Value> end = turn.Find("end");
  if (!end) return;
  profile.end_pointer.clear();
  profile.end_values.clear();
  if (end->node.IsMap()) {
    profile.policy.end = TurnEnd::kMatch;
    if (auto matcher = turn.Sub("end", turn.LabelOf("end"))) ReadMatcher(*matcher, profile);
    return;
  }
  std::string word;
  if (!turn.ReadText("end", word)) return;
  if (word == "quiet" || word == "each-answer") {
    profile.policy.end = word == "quiet" ? TurnEnd::kQuiet : TurnEnd::kEachAnswer;
  } else {
    turn.Error(
        *end, "end",
        "expected quiet, each-answer or {json: POINTER, in: [WORD, ...]}, found " + Quoted(word));
  }
}

// The keys that an inline turn and a profile have in common, over what `profile` says already.
void ReadKeys(Section& turn, TurnProfile& profile) {
  ReadEnd(turn, profile);
  turn.ReadDuration("quiet", profile.policy.quiet, {0ms, 1h});
  turn.ReadDuration("max", profile.policy.max, {1ms, 24h});
  turn.ReadDuration("linger", profile.linger, {0ms, 1min});
  std::uint64_t window = profile.policy.window;
  turn.ReadCount("window", window, {0, 1'000'000});
  profile.policy.window = static_cast<std::uint32_t>(window);
  turn.ReadWord("accept", profile.accept_json_object, kAccepts);

  if (profile.policy.end != TurnEnd::kQuiet || profile.policy.quiet > 0ms) return;
  if (const std::optional<Value> quiet = turn.Find("quiet")) {
    if (quiet->node.IsScalar())
      turn.Error(*quiet, "quiet", "must be above 0 when only silence ends a turn");
  } else {
    profile.policy.quiet = kDefaultQuiet;
  }
}

}  // namespace

const TurnProfile* TurnReader::Profile(const std::string& name, std::string& error) {
  if (const auto known = read_.find(name); known != read_.end()) return &known->second;
  const std::vector<std::string> names = ProfileNames(dirs_);
  if (std::ranges::find(names, name) == names.end()) {
    error = "unknown profile " + Quoted(name) + DidYouMean(name, names);
    return nullptr;
  }
  const std::optional<Parsed<ProfileSource>> found = FindProfile(name, dirs_);
  if (!found || !*found) {
    error = found ? found->error : "unknown profile " + Quoted(name);
    return nullptr;
  }
  TurnProfile profile;
  profile.name = name;
  const ProfileSource& source = *found->value;
  Reader reader(source.file, source.text, env_, diagnostics_, nullptr);
  if (const std::optional<Value> root = reader.Parse()) {
    Section section(reader, *root, "profile", "profile");
    if (section.ok()) {
      std::string description;
      section.ReadText("description", description);
      ReadKeys(section, profile);
      section.Finish();
    }
  }
  return &read_.emplace(name, std::move(profile)).first->second;
}

TurnProfile TurnReader::Inline(Section& turn) {
  TurnProfile profile;
  std::string wanted;
  if (turn.ReadText("profile", wanted)) {
    std::string error;
    const TurnProfile* base = Profile(wanted, error);
    if (base != nullptr) {
      profile = *base;
    } else {
      turn.Error(*turn.Find("profile"), "profile", error);
    }
    if (const std::optional<Value> name = turn.Find("name")) {
      turn.Error(*name, "name", "the profile has a name; leave one of the two out");
    }
  } else if (turn.Find("name")) {
    turn.ReadName("name", profile.name);
  }
  ReadKeys(turn, profile);
  turn.Finish();
  return profile;
}

TurnProfile TurnReader::Read(Section& route) {
  if (std::optional<Section> turn = route.Sub("turn", "turn")) return Inline(*turn);
  std::string error;
  const TurnProfile* quiet = Profile(std::string(kDefaultProfile), error);
  if (quiet != nullptr) return *quiet;
  route.Error("turn: " + error);
  return {};
}

}  // namespace connguard
