// A ring of minutes for each cause.
#include "admin/close_history.h"

#include <algorithm>

namespace connguard {

void CloseHistory::Sample(Time now, const Totals& totals) {
  const Minute minute = MinuteOf(now);
  const auto passed = std::clamp<std::int64_t>((minute - minute_).count(), 0, kMinutes);
  for (std::int64_t i = 0; i < passed; ++i) {
    now_ = (now_ + 1) % kMinutes;
    for (auto& ring : rings_) ring[now_] = 0;
  }
  minute_ = std::max(minute_, minute);
  for (std::size_t cause = 0; cause < kCloseCauses; ++cause) {
    rings_[cause][now_] += totals[cause] - std::min(totals[cause], seen_[cause]);
  }
  seen_ = totals;
}

std::array<std::uint64_t, CloseHistory::kMinutes> CloseHistory::Of(CloseCause cause) const {
  std::array<std::uint64_t, kMinutes> oldest_first = rings_[static_cast<std::size_t>(cause)];
  // Not std::ranges::rotate: clang 14 does not compile libstdc++'s subrange.
  std::rotate(oldest_first.begin(),
              oldest_first.begin() + static_cast<std::ptrdiff_t>((now_ + 1) % kMinutes),
              oldest_first.end());
  return oldest_first;
}

}  // namespace connguard
