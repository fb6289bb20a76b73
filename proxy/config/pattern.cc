// Parsing and comparing patterns; matching requests against them is route_match.cc's.
#include "config/pattern.h"

#include <algorithm>
#include <array>
#include <optional>

#include "config/suggest.h"

namespace connguard {
namespace {

using Pattern = std::vector<PathSegment>;

struct SourceWord {
  std::string_view word;
  KeyPart::Source source;
};

constexpr auto kSources = std::to_array<SourceWord>({{"path", KeyPart::Source::kPath},
                                                     {"query", KeyPart::Source::kQuery},
                                                     {"header", KeyPart::Source::kHeader},
                                                     {"cookie", KeyPart::Source::kCookie},
                                                     {"client", KeyPart::Source::kClientIp},
                                                     {"jwt", KeyPart::Source::kJwt}});

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool IsName(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return IsAlnum(c) || c == '_' || c == '-'; });
}

Parsed<PathSegment> ParseSegment(std::string_view text, bool last) {
  using Kind = PathSegment::Kind;
  if (text == "**") {
    if (!last) return Parsed<PathSegment>::Failed("'**' can only be the last segment");
    return Parsed<PathSegment>::Of({Kind::kRest, {}});
  }
  if (text.starts_with('{') && text.ends_with('}') && IsName(text.substr(1, text.size() - 2))) {
    return Parsed<PathSegment>::Of({Kind::kName, std::string(text.substr(1, text.size() - 2))});
  }
  if (text.find_first_of("{}*") != std::string_view::npos) {
    return Parsed<PathSegment>::Failed("segment " + Quoted(text) +
                                       " must be plain text, {name} or a final **");
  }
  return Parsed<PathSegment>::Of({Kind::kLiteral, std::string(text)});
}

std::vector<std::string> PathNames(std::span<const PathSegment> pattern) {
  std::vector<std::string> names;
  for (const PathSegment& segment : pattern) {
    if (segment.kind == PathSegment::Kind::kName) names.push_back(segment.text);
  }
  return names;
}

Parsed<KeyPart> ParseReference(std::string_view inside, std::span<const PathSegment> pattern) {
  const auto fail = [](std::string why) { return Parsed<KeyPart>::Failed(std::move(why)); };
  const std::string whole = "{" + std::string(inside) + "}";
  const std::size_t dot = inside.find('.');
  const std::string word(inside.substr(0, dot));
  const std::string name(dot == std::string_view::npos ? "" : inside.substr(dot + 1));
  const auto known = std::ranges::find(kSources, word, &SourceWord::word);
  if (known == kSources.end()) {
    std::vector<std::string> words;
    for (const SourceWord& source : kSources) words.emplace_back(source.word);
    return fail("unknown source " + Quoted(word) + " in " + whole + DidYouMean(word, words));
  }
  if (known->source == KeyPart::Source::kClientIp) {
    if (name != "ip") return fail("unknown source " + whole + "; did you mean {client.ip}?");
    return Parsed<KeyPart>::Of({known->source, {}});
  }
  if (name.empty()) return fail(whole + " must name what it takes: {" + word + ".NAME}");
  if (known->source == KeyPart::Source::kPath) {
    const std::vector<std::string> names = PathNames(pattern);
    if (std::ranges::find(names, name) == names.end()) {
      return fail("match.path has no {" + name + "}" + DidYouMean(name, names));
    }
  } else if (known->source != KeyPart::Source::kQuery && known->source != KeyPart::Source::kJwt &&
             !IsToken(name)) {
    return fail(Quoted(name) + " cannot be the name of a " + word);
  }
  return Parsed<KeyPart>::Of({known->source, name});
}

bool SegmentCovers(const PathSegment& earlier, const PathSegment& later) {
  using Kind = PathSegment::Kind;
  if (earlier.kind == Kind::kName) {
    return later.kind == Kind::kName || (later.kind == Kind::kLiteral && !later.text.empty());
  }
  return later.kind == Kind::kLiteral && earlier.text == later.text;
}

bool PathCovers(const Pattern& earlier, const Pattern& later) {
  if (earlier.empty()) return true;
  for (std::size_t i = 0; i < earlier.size(); ++i) {
    if (earlier[i].kind == PathSegment::Kind::kRest) return true;
    if (i >= later.size() || !SegmentCovers(earlier[i], later[i])) return false;
  }
  return later.size() == earlier.size();
}

bool SameName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsAlnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

Parsed<Pattern> ParsePathPattern(std::string_view text) {
  if (!text.starts_with('/')) return Parsed<Pattern>::Failed("a path must start with '/'");
  if (text.find_first_of("?#") != std::string_view::npos) {
    return Parsed<Pattern>::Failed("a path has no query or fragment");
  }
  if (text.find('%') != std::string_view::npos) {
    return Parsed<Pattern>::Failed("write the path decoded, without %-escapes");
  }
  Pattern pattern;
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::size_t slash = text.find('/');
    auto segment = ParseSegment(text.substr(0, slash), slash == std::string_view::npos);
    if (!segment) return Parsed<Pattern>::Failed(std::move(segment.error));
    if (segment.value->kind == PathSegment::Kind::kName) {
      const std::vector<std::string> names = PathNames(pattern);
      if (std::ranges::find(names, segment.value->text) != names.end()) {
        return Parsed<Pattern>::Failed("{" + segment.value->text + "} is there twice");
      }
    }
    pattern.push_back(*std::move(segment.value));
    text = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
  }
  return Parsed<Pattern>::Of(std::move(pattern));
}

std::string FormatPathPattern(const Pattern& pattern) {
  std::string text;
  for (const PathSegment& segment : pattern) {
    text += '/';
    switch (segment.kind) {
      case PathSegment::Kind::kLiteral:
        text += segment.text;
        break;
      case PathSegment::Kind::kName:
        text += "{" + segment.text + "}";
        break;
      case PathSegment::Kind::kRest:
        text += "**";
        break;
    }
  }
  return text;
}

Parsed<KeyTemplate> ParseKeyTemplate(std::string_view text, std::span<const PathSegment> pattern) {
  if (text.empty()) return Parsed<KeyTemplate>::Failed("is empty; leave it out to fence nobody");
  KeyTemplate parts;
  while (!text.empty()) {
    const std::size_t brace = text.find_first_of("{}");
    if (brace != 0) {
      parts.push_back({KeyPart::Source::kText, std::string(text.substr(0, brace))});
      if (brace == std::string_view::npos) break;
      text.remove_prefix(brace);
    }
    const std::size_t close = text.find_first_of("{}", 1);
    if (text[0] == '}' || close == std::string_view::npos || text[close] == '{') {
      return Parsed<KeyTemplate>::Failed("braces do not match");
    }
    auto part = ParseReference(text.substr(1, close - 1), pattern);
    if (!part) return Parsed<KeyTemplate>::Failed(std::move(part.error));
    parts.push_back(*std::move(part.value));
    text.remove_prefix(close + 1);
  }
  return Parsed<KeyTemplate>::Of(std::move(parts));
}

std::string FormatKeyTemplate(const KeyTemplate& parts) {
  std::string text;
  for (const KeyPart& part : parts) {
    if (part.source == KeyPart::Source::kText) {
      text += part.name;
      continue;
    }
    const auto known = std::ranges::find(kSources, part.source, &SourceWord::source);
    const bool ip = part.source == KeyPart::Source::kClientIp;
    text += "{" + std::string(known->word) + "." + (ip ? "ip" : part.name) + "}";
  }
  return text;
}

bool Covers(const RouteMatch& earlier, const RouteMatch& later) {
  if (!earlier.host.empty() && earlier.host != later.host) return false;
  const bool headers = std::ranges::all_of(earlier.headers, [&](const HeaderMatch& wanted) {
    return std::ranges::any_of(later.headers, [&](const HeaderMatch& given) {
      return SameName(wanted.name, given.name) &&
             (wanted.value.empty() || wanted.value == given.value);
    });
  });
  return headers && PathCovers(earlier.path, later.path);
}

}  // namespace connguard
