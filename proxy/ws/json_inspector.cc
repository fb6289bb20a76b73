// JsonInspector over simdjson. Its lazier parser would be faster yet, but checks only what is
// visited.
#include <simdjson.h>

#include <algorithm>

#include "connguard/give_back.h"
#include "ws/json_leniency.h"
#include "ws/message_inspector.h"

namespace connguard {
namespace {

// Kept for the next text; the parser's own memory is some twelve times as much.
constexpr std::size_t kKeptBytes = 64 * 1024;

std::string_view AsText(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

struct JsonInspector::Impl {
  // The text, and the padding that the parser may read beyond it.
  std::vector<char> buffer;
  simdjson::dom::parser parser;

  // The root of `text`, valid until the next call; nullopt when it is not JSON.
  std::optional<simdjson::dom::element> Parse(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) return std::nullopt;  // newer versions skip it
    const std::size_t needed = text.size() + simdjson::SIMDJSON_PADDING;
    if (buffer.size() < needed) buffer.resize(needed);
    std::copy(text.begin(), text.end(), buffer.begin());
    simdjson::dom::element root;
    simdjson::error_code error = parser.parse(buffer.data(), text.size(), false).get(root);
    if (error != simdjson::SUCCESS) {  // versions differ in which error an odd value is
      ReplaceOddValues(std::span(buffer).first(text.size()));
      error = parser.parse(buffer.data(), text.size(), false).get(root);
    }
    return error == simdjson::SUCCESS ? std::optional(root) : std::nullopt;
  }

  void ForgetGiants() {
    if (buffer.size() <= kKeptBytes) return;
    parser = simdjson::dom::parser();
    GiveBack(buffer);
  }
};

JsonInspector::JsonInspector() : impl_(std::make_unique<Impl>()) {}
JsonInspector::~JsonInspector() = default;
JsonInspector::JsonInspector(JsonInspector&&) noexcept = default;
JsonInspector& JsonInspector::operator=(JsonInspector&&) noexcept = default;

bool JsonInspector::Matches(std::span<const std::uint8_t> text, std::string_view pointer,
                            const std::vector<std::string>& values) {
  bool matches = false;
  if (const auto root = impl_->Parse(AsText(text))) {
    std::string_view found;
    matches = root->at_pointer(pointer).get_string().get(found) == simdjson::SUCCESS &&
              std::find(values.begin(), values.end(), found) != values.end();
  }
  impl_->ForgetGiants();
  return matches;
}

JsonInspector::Kind JsonInspector::Classify(std::span<const std::uint8_t> text) {
  Kind kind = Kind::kNotJson;
  if (const auto root = impl_->Parse(AsText(text))) {
    kind = root->is_object() ? Kind::kObject : Kind::kOtherJson;
  } else if (!simdjson::validate_utf8(AsText(text))) {
    kind = Kind::kNotUtf8;
  }
  impl_->ForgetGiants();
  return kind;
}

}  // namespace connguard
