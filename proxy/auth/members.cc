// A reader of events and no tree: the tree of this library keeps the last of two members silently.
#include "auth/members.h"

#include <nlohmann/json.hpp>

#include "auth/jwt.h"
#include "http/text.h"

namespace connguard {
namespace {

using Kind = JsonMember::Kind;

bool IsWhole(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  return !number.empty() && std::all_of(number.begin(), number.end(), IsDigit);
}

class MemberReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  MemberReader() = default;
  // Stops behind the member of this name.
  explicit MemberReader(std::string_view only) : only_(only) {}

  JsonMembers& members() { return members_; }

  bool null() override { return Take({}); }
  bool boolean(bool /*value*/) override { return Take({}); }
  bool binary(binary_t& /*value*/) override { return Take({}); }
  bool string(string_t& value) override {
    return Take({.kind = Kind::kText, .text = std::move(value)});
  }
  bool number_integer(number_integer_t value) override {
    return Take({.kind = Kind::kWhole,
                 .text = std::to_string(value),
                 .number = static_cast<double>(value)});
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Take({.kind = Kind::kWhole,
                 .text = std::to_string(value),
                 .number = static_cast<double>(value)});
  }
  bool number_float(number_float_t value, const string_t& written) override {
    if (!IsWhole(written)) return Take({.kind = Kind::kNumber, .number = value});
    return Take({.kind = Kind::kWhole, .text = written, .number = value});
  }

  bool start_object(std::size_t /*size*/) override {
    if (depth_ > 0) current_->kind = Kind::kOther;
    return ++depth_ <= kDeepestJson;
  }
  bool start_array(std::size_t /*size*/) override {
    if (depth_ == 0) return false;
    current_->kind = depth_ == 1 ? Kind::kTexts : Kind::kOther;
    return ++depth_ <= kDeepestJson;
  }
  bool end_object() override { return End(); }
  bool end_array() override { return End(); }

  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    skipped_ = only_ && *only_ != name;
    if (skipped_) {
      current_ = &unwanted_;
      return true;
    }
    const auto [at, fresh] = members_.try_emplace(std::move(name));
    current_ = &at->second;
    return fresh;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  // A value that is neither object nor array.
  bool Take(JsonMember value) {
    if (depth_ == 0) return false;
    if (depth_ == 1) {
      *current_ = std::move(value);
      return !IsFound();
    }
    if (current_->kind != Kind::kTexts) return true;
    if (value.kind == Kind::kText) {
      current_->texts.push_back(std::move(value.text));
    } else {
      current_->kind = Kind::kOther;
    }
    return true;
  }

  bool End() { return --depth_ != 1 || !IsFound(); }
  bool IsFound() const { return only_ && !skipped_; }

  std::optional<std::string_view> only_;
  bool skipped_ = false;
  int depth_ = 0;
  JsonMembers members_;
  JsonMember unwanted_;
  JsonMember* current_ = &unwanted_;  // whose value is being read
};

// The library skips a byte order mark, and takes NUL for the end.
bool IsOdd(std::string_view json) {
  return json.starts_with('\xEF') || json.find('\0') != std::string_view::npos;
}

}  // namespace

std::optional<JsonMembers> ParseMembers(std::string_view json) {
  MemberReader reader;
  if (IsOdd(json) || !nlohmann::json::sax_parse(json, &reader)) return std::nullopt;
  return std::move(reader.members());
}

std::optional<JsonMember> FindMember(std::string_view json, std::string_view name) {
  MemberReader reader(name);
  if (IsOdd(json)) return std::nullopt;
  nlohmann::json::sax_parse(json, &reader);  // false also where it stopped behind the member
  const auto found = reader.members().find(name);
  if (found == reader.members().end()) return std::nullopt;
  return std::move(found->second);
}

std::optional<std::string> JwtClaims::Text(std::string_view claim) const {
  auto member = FindMember(json_, claim);
  if (!member || (member->kind != Kind::kText && member->kind != Kind::kWhole)) return std::nullopt;
  return std::move(member->text);
}

}  // namespace connguard
