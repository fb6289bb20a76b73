// Looking things up in fields, and writing heads.
#include <algorithm>

#include "http/message.h"
#include "http/text.h"

namespace connguard {
namespace {

using std::string_view_literals::operator""sv;  // no length is looked for

void AppendFields(std::string& out, const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    out.append(field.name).append(": "sv).append(field.value).append("\r\n"sv);
  }
  out.append("\r\n"sv);
}

const char* VersionText(int version) { return version == 10 ? "HTTP/1.0" : "HTTP/1.1"; }

}  // namespace

std::optional<std::string_view> Find(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (EqualsIgnoringCase(field.name, name)) return field.value;
  }
  return std::nullopt;
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
  std::string out = head.method + ' ' + head.target + ' ' + VersionText(head.version) + "\r\n";
  AppendFields(out, head.fields);
  return out;
}

std::string Serialize(const ResponseHead& head) {
  std::string out =
      VersionText(head.version) + (' ' + std::to_string(head.status)) + ' ' + head.reason + "\r\n";
  AppendFields(out, head.fields);
  return out;
}

}  // namespace connguard
