// Fuzzes JsonInspector against a second parser: both must have the same idea of JSON.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "require.h"
#include "ws/message_inspector.h"

namespace {

using Kind = connguard::JsonInspector::Kind;

// The second parser's verdict. It refuses numbers that overflow and half surrogate pairs, which the
// inspector takes: then it does not tell.
enum class Verdict { kJson, kNotJson, kUntold };
Verdict Judge(std::string_view text, nlohmann::json& value) {
  try {
    value = nlohmann::json::parse(text);
    return Verdict::kJson;
  } catch (const nlohmann::json::out_of_range&) {
    return Verdict::kUntold;
  } catch (const nlohmann::json::parse_error& error) {
    const std::string_view what = error.what();
    return what.find("surrogate") == std::string_view::npos ? Verdict::kNotJson : Verdict::kUntold;
  }
}

// It takes a byte order mark, any depth, and NUL for the end, which the inspector refuses.
bool IsBeyond(std::string_view text) {
  const auto opened =
      std::count_if(text.begin(), text.end(), [](char c) { return c == '[' || c == '{'; });
  return opened > 1000 || text.find('\0') != std::string_view::npos ||
         text.starts_with("\xEF\xBB\xBF");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static connguard::JsonInspector inspector;
  const std::span<const std::uint8_t> bytes(data, size);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Kind kind = inspector.Classify(bytes);
  const bool json = kind == Kind::kObject || kind == Kind::kOtherJson;
  nlohmann::json other;
  const Verdict verdict = Judge(text, other);
  if (verdict == Verdict::kJson && !IsBeyond(text)) {
    CONNGUARD_REQUIRE(json);
    CONNGUARD_REQUIRE(other.is_object() == (kind == Kind::kObject));
  }
  if (verdict == Verdict::kNotJson) CONNGUARD_REQUIRE(!json);

  const bool matches = inspector.Matches(bytes, "/a/0", {"x", "y"});
  if (matches) CONNGUARD_REQUIRE(json);
  if (matches && verdict == Verdict::kJson && text.find("\"a\"") == text.rfind("\"a\"")) {
    const nlohmann::json& found = other.at(nlohmann::json::json_pointer("/a/0"));
    CONNGUARD_REQUIRE(found == "x" || found == "y");
  }
  return 0;
}
