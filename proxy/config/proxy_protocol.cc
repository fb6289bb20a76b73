// Byte by byte until the header's end is known: headers are short, and nothing behind one is taken.
#include "config/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "config/cidr.h"
#include "http/text.h"

namespace connguard {
namespace {

using std::string_view_literals::operator""sv;

using Result = ProxyHeaderReader::Result;
using Status = ProxyHeaderReader::Status;

constexpr std::string_view kTextBegin = "PROXY ";
constexpr std::string_view kBinaryBegin = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kBinaryHead = 16;  // signature, version and command, family, length

Result Error(std::string why) { return {.status = Status::kError, .why = std::move(why)}; }

Result Done(std::optional<std::string> address) {
  return {.status = Status::kDone, .address = std::move(address)};
}

std::uint8_t ByteAt(std::string_view text, std::size_t place) {
  return static_cast<std::uint8_t>(text[place]);
}

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && (text.size() == 1 || text.front() != '0');
}

// The address of family `TCP4` or `TCP6` that `text` is.
std::optional<std::string> AddressOf(std::string_view family, std::string_view text) {
  const bool v6 = text.find(':') != std::string_view::npos;
  const std::optional<IpAddress> address = v6 == (family == "TCP6") ? ParseIp(text) : std::nullopt;
  return address ? std::optional(address->ToString()) : std::nullopt;
}

// Where `header` ends: 0 while that is not known.
std::size_t BinaryLength(std::string_view header) {
  if (header.size() < kBinaryHead) return 0;
  return kBinaryHead + std::size_t{ByteAt(header, 14)} * 256 + ByteAt(header, 15);
}

}  // namespace

// "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n" (§2.1).
Result ProxyHeaderReader::ReadText() const {
  std::string_view line = header_;
  line.remove_suffix(2);
  line.remove_prefix(kTextBegin.size());
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return Done(std::nullopt);
  const std::string_view family = TakeUntil(line, ' ');
  if (family != "TCP4" && family != "TCP6") return Error("unknown family in a PROXY header");
  const std::string_view source_text = TakeUntil(line, ' ');
  std::optional<std::string> source = AddressOf(family, source_text);
  const std::string_view target = TakeUntil(line, ' ');
  if (!source || !AddressOf(family, target)) return Error("malformed address in a PROXY header");
  const std::string_view source_port = line.substr(0, line.find(' '));
  const std::size_t next = source_port.size() + 1;
  const std::string_view target_port = line.substr(std::min(next, line.size()));
  if (!IsPort(source_port) || !IsPort(target_port)) {
    return Error("malformed port in a PROXY header");
  }
  return Done(std::move(source));
}

// The whole header is there (§2.2).
Result ProxyHeaderReader::ReadBinary() const {
  constexpr std::uint8_t kLocal = 0x20;
  constexpr std::uint8_t kTcp4 = 0x11;
  constexpr std::uint8_t kTcp6 = 0x21;
  constexpr std::uint8_t kUnixStream = 0x31;
  constexpr std::uint8_t kUnspecified = 0x00;
  if (ByteAt(header_, 12) == kLocal) return Done(std::nullopt);
  const std::size_t length = header_.size() - kBinaryHead;
  const auto too_short = [] { return Error("a PROXY header is too short for its addresses"); };
  std::array<std::uint8_t, 16> source{};  // v4: the first four
  std::copy_n(header_.begin() + kBinaryHead, std::min(length, source.size()), source.begin());
  switch (ByteAt(header_, 13)) {
    case kUnspecified:
      return Done(std::nullopt);
    case kTcp4:
      if (length < 12) return too_short();
      return Done(IpAddress{.bytes = source}.ToString());
    case kTcp6:
      if (length < 36) return too_short();
      return Done(IpAddress::OfV6(source).ToString());
    case kUnixStream:
      if (length < 216) return too_short();
      return Done("unix");
    default:
      return Error("unknown family in a PROXY header");
  }
}

// What the header's latest byte says.
Result ProxyHeaderReader::Step() {
  const std::size_t size = header_.size();
  if (header_.front() == kTextBegin.front()) {
    if (size <= kTextBegin.size() && header_ != kTextBegin.substr(0, size)) {
      return Error("not a PROXY header");
    }
    const bool line_feed = header_.back() == '\n';
    if (line_feed && header_[size - 2] == '\r') return ReadText();
    if (line_feed || (size > 1 && header_[size - 2] == '\r')) {
      return Error("a PROXY header has a stray line end");
    }
    return size < kLongestText ? Result{} : Error("a PROXY header is too long");
  }
  if (size <= kBinaryBegin.size() && header_ != kBinaryBegin.substr(0, size)) {
    return Error("not a PROXY header");
  }
  if (size == 13 && ByteAt(header_, 12) != 0x20 && ByteAt(header_, 12) != 0x21) {
    return Error("unknown version or command in a PROXY header");
  }
  const std::size_t whole = BinaryLength(header_);
  if (whole > kLongestBinary) return Error("a PROXY header is too long");
  return whole == size ? ReadBinary() : Result{};
}

Result ProxyHeaderReader::Feed(std::span<const std::uint8_t> in) {
  Bytes taken = 0;
  for (const std::uint8_t byte : in) {
    header_ += static_cast<char>(byte);
    ++taken;
    Result result = Step();
    if (result.status == Status::kNeedMore) continue;
    result.taken = taken;
    return result;
  }
  return {.status = Status::kNeedMore, .taken = taken};
}

}  // namespace connguard
