// The members of a JSON object, as far as a token's checks look at them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connguard {

struct JsonMember {
  enum class Kind : std::uint8_t {
    kText,    // a string: `text`
    kWhole,   // a whole number of any size: `text` as written, and `number`
    kNumber,  // another number: `number`
    kTexts,   // an array of strings only: `texts`
    kOther,
  };
  Kind kind = Kind::kOther;
  std::string text{};
  double number = 0;
  std::vector<std::string> texts{};

  bool is_number() const { return kind == Kind::kWhole || kind == Kind::kNumber; }
};

using JsonMembers = std::map<std::string, JsonMember, std::less<>>;

// The members of `json`, an object (RFC 8259); nullopt when it is something else, is not UTF-8,
// names a member twice, has a number that a double cannot hold, or nests deeper than
// kDeepestJson. Inside of its members a name may come twice. Pure.
inline constexpr int kDeepestJson = 32;
std::optional<JsonMembers> ParseMembers(std::string_view json);

// One member of what ParseMembers takes, without reading on behind it.
std::optional<JsonMember> FindMember(std::string_view json, std::string_view name);

}  // namespace connguard
