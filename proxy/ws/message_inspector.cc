// simdjson behind two questions. The only file that knows it.
#include "ws/message_inspector.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace connguard {

namespace {

// What grew beyond this is given back after use.
constexpr std::size_t kKept = 256 * 1024;

}  // namespace

std::optional<std::span<const std::uint8_t>> MessageAssembler::Add(const Piece& piece) {
  if (piece.begins_message) {
    payload_.clear();
    const bool masked =
        std::any_of(piece.mask.begin(), piece.mask.end(), [](auto b) { return b != 0; });
    if (piece.ends_message && !masked) return piece.payload;
  }
  const std::size_t before = payload_.size();
  // The scanner has checked it already; this holds should their limits differ.
  if (piece.payload.size() > message_size_ - std::min(message_size_, before)) return std::nullopt;
  payload_.resize(before + piece.payload.size());
  if (!piece.payload.empty()) Unmask(piece.payload, piece.mask, payload_.data() + before);
  if (!piece.ends_message) return std::nullopt;
  return payload_;
}

struct JsonInspector::Impl {
  simdjson::dom::parser parser;
  std::vector<char> padded;

  simdjson::error_code Parse(std::span<const std::uint8_t> text, simdjson::dom::element& root) {
    padded.resize(text.size() + simdjson::SIMDJSON_PADDING);
    if (!text.empty()) std::memcpy(padded.data(), text.data(), text.size());
    return parser.parse(padded.data(), text.size(), false).get(root);
  }

  void GiveBack() {
    if (padded.capacity() <= kKept) return;
    padded = {};
    parser = simdjson::dom::parser();
  }
};

JsonInspector::JsonInspector() : impl_(std::make_unique<Impl>()) {}
JsonInspector::~JsonInspector() = default;

bool JsonInspector::Matches(std::span<const std::uint8_t> text, std::string_view pointer,
                            const std::vector<std::string>& values) {
  simdjson::dom::element root;
  bool matches = false;
  std::string_view found;
  if (impl_->Parse(text, root) == simdjson::SUCCESS &&
      root.at_pointer(pointer).get_string().get(found) == simdjson::SUCCESS) {
    matches = std::find(values.begin(), values.end(), found) != values.end();
  }
  impl_->GiveBack();
  return matches;
}

JsonInspector::Kind JsonInspector::Classify(std::span<const std::uint8_t> text) {
  simdjson::dom::element root;
  Kind kind = Kind::kNotJson;
  const simdjson::error_code error = impl_->Parse(text, root);
  if (error == simdjson::SUCCESS) {
    kind = root.is_object() ? Kind::kObject : Kind::kOtherJson;
  } else if (!simdjson::validate_utf8(reinterpret_cast<const char*>(text.data()), text.size())) {
    kind = Kind::kNotUtf8;
  }
  impl_->GiveBack();
  return kind;
}

}  // namespace connguard
