// Brings what libwebsockets has to say into our log.
#include "admin/lws_log.h"

#include <libwebsockets.h>

#include <mutex>
#include <string_view>

#include "log/log.h"

namespace connguard {
namespace {

// `line` is "[2026/03/07 09:08:05:0424] E: text\n"; our line has its own time and level.
void Emit(int level, const char* line) {
  std::string_view text(line);
  if (text.starts_with('[')) {
    const auto mark = text.find(": ", text.find(']'));
    if (mark != std::string_view::npos) text.remove_prefix(mark + 2);
  }
  while (text.ends_with('\n')) text.remove_suffix(1);
  Log(level == LLL_ERR ? LogLevel::kError : LogLevel::kWarn, "lws", {{"text", text}});
}

}  // namespace

void RouteLwsLog() {
  static std::once_flag once;
  std::call_once(once, [] { lws_set_log_level(LLL_ERR | LLL_WARN, Emit); });
}

}  // namespace connguard
