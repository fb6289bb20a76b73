#include "bench/figures.h"

#include <algorithm>
#include <sstream>

namespace connguard::bench {

std::chrono::nanoseconds Delays::Percentile(double share) {
  if (all_.empty()) return {};
  const auto last = static_cast<double>(all_.size() - 1);
  const auto place = all_.begin() + static_cast<std::ptrdiff_t>(share * last);
  std::nth_element(all_.begin(), place, all_.end());
  return *place;
}

void LoadFigures::NoteError(std::string_view error) {
  if (errors++ == 0) first_error = error;
}

// No error has a character that JSON would have to quote.
std::string ToJson(LoadFigures& figures) {
  using Micros = std::chrono::duration<double, std::micro>;
  std::ostringstream json;
  json << R"({"ok":)" << (figures.ok() ? "true" : "false") << R"(,"answers":)" << figures.answers
       << R"(,"per_second":)" << figures.per_second << R"(,"opened":)" << figures.opened
       << R"(,"reads":)" << figures.reads << R"(,"p50_us":)"
       << Micros(figures.delays.Percentile(0.5)).count() << R"(,"p99_us":)"
       << Micros(figures.delays.Percentile(0.99)).count() << R"(,"max_us":)"
       << Micros(figures.delays.Percentile(1)).count() << R"(,"errors":)" << figures.errors
       << R"(,"first_error":")" << figures.first_error << "\"}";
  return json.str();
}

}  // namespace connguard::bench
