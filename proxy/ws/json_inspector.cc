// JsonInspector over simdjson's on-demand parser, which finds a value without reading the rest.
#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "ws/json_grammar.h"
#include "ws/message_inspector.h"

namespace connguard {
namespace {

namespace ondemand = simdjson::ondemand;

// Python's parser, for one, gives up at its recursion limit of 1,000.
constexpr int kMaxDepth = 1'000;

// Kept for the next text.
constexpr std::size_t kKeptBytes = 256 * 1024;

std::string_view AsText(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The parser is lazy: only what is visited has been checked.
class Visitor {
 public:
  explicit Visitor(std::string_view text) : end_(text.data() + text.size()) {}

  bool IsSound(ondemand::value value, int depth) const {
    ondemand::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type != ondemand::json_type::object && type != ondemand::json_type::array) {
      std::string_view token = value.raw_json_token();
      return IsJsonScalar(TrimJson(token));
    }
    if (depth == kMaxDepth) return false;
    return type == ondemand::json_type::object ? IsSoundObject(value, depth)
                                               : IsSoundArray(value, depth);
  }

 private:
  bool IsSoundArray(ondemand::value& value, int depth) const {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return false;
    for (auto result : array) {
      ondemand::value element;
      if (result.get(element) != simdjson::SUCCESS || !IsSound(element, depth + 1)) return false;
    }
    return true;
  }

  bool IsSoundObject(ondemand::value& value, int depth) const {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return false;
      const char* key = field.key().raw();
      std::size_t size = 0;
      if (!IsJsonString({key, static_cast<std::size_t>(end_ - key)}, size)) return false;
      if (!IsSound(field.value(), depth + 1)) return false;
    }
    return true;
  }

  const char* end_;
};

}  // namespace

struct JsonInspector::Impl {
  // The text with the padding that the parser reads beyond it.
  std::vector<char> buffer;
  ondemand::parser parser;
  ondemand::document document;

  // Copies `text` and finds its structure. False: it is neither object nor array, or illegal.
  bool Open(std::string_view text) {
    if (!text.starts_with('{') && !text.starts_with('[')) return false;
    const std::size_t needed = text.size() + simdjson::SIMDJSON_PADDING;
    if (buffer.size() < needed) buffer.resize(std::max(needed, 2 * buffer.size()));
    std::memcpy(buffer.data(), text.data(), text.size());
    return parser.iterate(simdjson::padded_string_view(buffer.data(), text.size(), buffer.size()))
               .get(document) == simdjson::SUCCESS;
  }

  bool IsSound() {
    document.rewind();
    ondemand::value root;
    if (document.get_value().get(root) != simdjson::SUCCESS) return false;
    return Visitor({buffer.data(), buffer.size()}).IsSound(root, 0) &&
           document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  }

  void ForgetGiants() {
    if (buffer.size() <= kKeptBytes) return;
    document = ondemand::document();
    parser = ondemand::parser();
    buffer = {};
  }
};

JsonInspector::JsonInspector() : impl_(std::make_unique<Impl>()) {}
JsonInspector::~JsonInspector() = default;
JsonInspector::JsonInspector(JsonInspector&&) noexcept = default;
JsonInspector& JsonInspector::operator=(JsonInspector&&) noexcept = default;

bool JsonInspector::Matches(std::span<const std::uint8_t> text, std::string_view pointer,
                            const std::vector<std::string>& values) {
  bool matches = false;
  if (impl_->Open(TrimJson(AsText(text)))) {
    std::string_view found;
    matches = impl_->document.at_pointer(pointer).get_string().get(found) == simdjson::SUCCESS &&
              std::find(values.begin(), values.end(), found) != values.end() && impl_->IsSound();
  }
  impl_->ForgetGiants();
  return matches;
}

JsonInspector::Kind JsonInspector::Classify(std::span<const std::uint8_t> text) {
  const std::string_view trimmed = TrimJson(AsText(text));
  Kind kind = Kind::kNotJson;
  if (impl_->Open(trimmed) && impl_->IsSound()) {
    kind = trimmed.starts_with('{') ? Kind::kObject : Kind::kOtherJson;
  } else if (!simdjson::validate_utf8(AsText(text))) {
    kind = Kind::kNotUtf8;
  } else if (IsJsonScalar(trimmed)) {
    kind = Kind::kOtherJson;
  }
  impl_->ForgetGiants();
  return kind;
}

}  // namespace connguard
