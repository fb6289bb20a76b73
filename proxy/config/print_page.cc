// Values as the loader reads them back.
#include "config/print_page.h"

#include <algorithm>

namespace connguard {

// A scalar that the loader reads back as `text`: $ doubled, quotes where YAML might see more in it.
std::string Scalar(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_./:-").find(c) != std::string_view::npos;
  };
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  const bool plain = !text.empty() && std::ranges::all_of(text, is_plain) &&
                     !text.starts_with('-') && !text.starts_with(':') && !text.ends_with(':') &&
                     lower != "null";
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '$') quoted += '$';
    quoted += c;
  }
  return quoted + "\"";
}

std::string Listed(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return "[" + text + "]";
}

std::string List(const std::vector<std::string>& items) {
  std::vector<std::string> scalars;
  for (const std::string& item : items) scalars.push_back(Scalar(item));
  return Listed(scalars);
}

std::string Inline(const CertificateFiles& files) {
  return "{chain: " + Scalar(files.chain) + ", key: " + Scalar(files.key) + "}";
}

void PrintUpstreamTls(int indent, const UpstreamConfig& upstream, Page& page) {
  if (!upstream.tls) return;
  const UpstreamTlsConfig& tls = *upstream.tls;
  page.Line(indent, "tls:");
  if (!tls.ca.empty()) page.Pair(indent + 2, "ca", Scalar(tls.ca));
  if (!tls.server_name.empty()) page.Pair(indent + 2, "server_name", Scalar(tls.server_name));
  page.Pair(indent + 2, "verify", TrueOrFalse(tls.verify));
  if (tls.certificate) page.Pair(indent + 2, "certificate", Inline(*tls.certificate));
}

}  // namespace connguard
