// Looking things up in fields, and writing heads.
#include <algorithm>

#include "http/message.h"
#include "http/text.h"

namespace connguard {
namespace {

using std::string_view_literals::operator""sv;  // no length is looked for

constexpr std::size_t kUsualHead = 512;

void AppendFields(std::string& out, const std::vector<Field>& fields) {
  for (const Field& field : fields) AppendField(out, field.name, field.value);
  out.append("\r\n"sv);
}

std::string_view VersionText(int version) { return version == 10 ? "HTTP/1.0"sv : "HTTP/1.1"sv; }

}  // namespace

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": "sv).append(value).append("\r\n"sv);
}

std::optional<std::string_view> Find(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (EqualsIgnoringCase(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Only(const std::vector<Field>& fields, std::string_view name) {
  std::optional<std::string_view> only;
  for (const Field& field : fields) {
    if (!EqualsIgnoringCase(field.name, name)) continue;
    if (only) return std::nullopt;
    only = field.value;
  }
  return only;
}

std::size_t Count(const std::vector<Field>& fields, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(),
                    [name](const Field& field) { return EqualsIgnoringCase(field.name, name); }));
}

bool HasToken(const std::vector<Field>& fields, std::string_view name, std::string_view token) {
  for (const Field& field : fields) {
    if (!EqualsIgnoringCase(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      if (EqualsIgnoringCase(Trim(TakeUntil(rest, ',')), token)) return true;
    }
  }
  return false;
}

std::string Serialize(const RequestHead& head) {
  std::string out;
  out.reserve(kUsualHead);
  out.append(head.method).append(" "sv).append(head.target).append(" "sv);
  out.append(VersionText(head.version)).append("\r\n"sv);
  AppendFields(out, head.fields);
  return out;
}

std::string Serialize(const ResponseHead& head) {
  std::string out;
  out.reserve(kUsualHead);
  out.append(VersionText(head.version)).append(" "sv).append(std::to_string(head.status));
  out.append(" "sv).append(head.reason).append("\r\n"sv);
  AppendFields(out, head.fields);
  return out;
}

}  // namespace connguard
