// Rules for parsed heads: see the header.
#include "http/head_rules.h"

#include <algorithm>

#include "http/text.h"

namespace connguard {
namespace {

// Two readers that disagree on where a body ends are how requests are smuggled: one way to say it
// only.
std::optional<Refusal> CheckFraming(const std::vector<Field>& fields, int version) {
  const std::size_t lengths = Count(fields, "Content-Length");
  const std::size_t codings = Count(fields, "Transfer-Encoding");
  if (lengths + codings > 1) {
    return Refusal{400, "more than one Content-Length or Transfer-Encoding field"};
  }
  if (lengths == 1) {
    const std::string_view value = *Find(fields, "Content-Length");
    if (value.empty() || !std::all_of(value.begin(), value.end(), IsDigit)) {
      return Refusal{400, "Content-Length is not a number"};
    }
  }
  if (codings == 1) {
    if (version < 11) return Refusal{400, "Transfer-Encoding in HTTP/1.0"};
    if (!EqualsIgnoringCase(*Find(fields, "Transfer-Encoding"), "chunked")) {
      return Refusal{400, "transfer coding other than chunked"};
    }
  }
  return std::nullopt;
}

// uri-host [ ":" port ] (RFC 3986 §3.2), by its characters.
bool IsAuthority(std::string_view text) {
  static constexpr std::string_view kHostMarks = "-._~%!$&'()*+;=";
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    const std::string_view literal = text.substr(1, end - 1);
    if (!std::all_of(literal.begin(), literal.end(), [](char c) {
          return IsAlphanumeric(c) || c == ':' || c == '.' || c == '%';
        })) {
      return false;
    }
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
    const std::string_view name = text.substr(0, end);
    if (name.empty()) return false;
    if (!std::all_of(name.begin(), name.end(), [](char c) {
          return IsAlphanumeric(c) || kHostMarks.find(c) != std::string_view::npos;
        })) {
      return false;
    }
  }
  if (end == text.size()) return true;
  const std::string_view port = text.substr(end + 1);
  return text[end] == ':' && port.size() <= 5 && std::all_of(port.begin(), port.end(), IsDigit);
}

std::optional<Refusal> CheckHost(const RequestHead& head) {
  const std::size_t hosts = Count(head.fields, "Host");
  if (hosts > 1) return Refusal{400, "several Host fields"};
  if (hosts == 0) {
    if (head.version < 11) return std::nullopt;
    return Refusal{400, "Host is missing"};
  }
  if (!IsAuthority(*Find(head.fields, "Host"))) return Refusal{400, "Host is not a host"};
  return std::nullopt;
}

std::optional<Refusal> CheckTarget(const RequestHead& head) {
  const std::string_view target = head.target;
  // A fragment or a raw byte over 0x7E: backends cut or decode it, each in its own way, so that the
  // guard's idea of the path would not be theirs.
  if (target.find('#') != std::string_view::npos) return Refusal{400, "target has a fragment"};
  if (std::any_of(target.begin(), target.end(), [](char c) { return c < 0x21 || c > 0x7E; })) {
    return Refusal{400, "target is not ASCII"};
  }
  if (target.starts_with('/')) return std::nullopt;
  if (target == "*") {
    if (head.method == "OPTIONS") return std::nullopt;
    return Refusal{400, "target * without OPTIONS"};
  }
  const std::optional<AbsoluteTarget> absolute = ParseAbsolute(target);
  if (!absolute) return Refusal{400, "target is neither a path nor a URL"};
  if (!IsAuthority(absolute->authority)) return Refusal{400, "target has an illegal authority"};
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> CheckRequest(const RequestHead& head) {
  if (head.method == "CONNECT") return Refusal{400, "CONNECT is not supported"};
  if (auto refusal = CheckTarget(head)) return refusal;
  if (auto refusal = CheckHost(head)) return refusal;
  return CheckFraming(head.fields, head.version);
}

std::optional<Refusal> CheckResponse(const ResponseHead& head) {
  if (head.status < 100) return Refusal{400, "status below 100"};
  return CheckFraming(head.fields, head.version);
}

}  // namespace connguard
